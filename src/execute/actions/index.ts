/** Every action there is: a new one is one file and one row. */
import type { Action } from "../action.ts";
import { alert } from "./alert.ts";
import { cleanDiskAction } from "./clean-disk.ts";
import { fileBead } from "./file-bead.ts";
import { handOffAction } from "./hand-off.ts";
import { killPid } from "./kill-pid.ts";
import { killTmux } from "./kill-tmux.ts";
import { log } from "./log.ts";
import { restartService } from "./restart-service.ts";

export const actions: readonly Action[] = [
  restartService,
  killPid,
  killTmux,
  cleanDiskAction,
  handOffAction,
  fileBead,
  alert,
  log,
];

/** What `argus doctor` says of each channel: where it goes, and what its last deliveries came to. */
import { join } from "node:path";
import { type Ability, broken, limited, ok } from "../collect/ability.ts";
import { wayOf } from "../notify/channels/index.ts";
import { type ChannelView, viewOutbox } from "../notify/delivery-state.ts";
import { outboxDir } from "../notify/outbox.ts";
import { minute } from "../report/values.ts";
import { reach } from "../system/reach.ts";
import type { System } from "../system/system.ts";
import type { Config } from "../types/settings.ts";

/** @param path the PATH of the environment. */
export function channelChecks(
  { files }: System,
  { channels, stateDir }: Config,
  path: string | undefined,
): Ability[] {
  if (channels.length === 0) {
    return [
      limited(
        "alerts",
        "no channel is configured: messages wait in the outbox, and `argus status` counts them",
        "set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json",
      ),
    ];
  }
  const ways = channels.map((channel) => wayOf(channel));
  const names = ways.map(({ name }) => name);
  const views = mayLook(files, stateDir) ? viewOutbox(files, stateDir, names).channels : [];
  return ways.map((way, index) => {
    const channel = channels[index];
    const check = checkOf(way.name, `go to ${way.describe()}`, views[index]);
    if (channel?.type !== "relay" || check.state !== "ok" || isThere(files, channel.program, path))
      return check;
    const detail = `${channel.program} does not exist here: what it is to send is written to ${channel.file}`;
    return limited(check.name, detail, "install it, or set ARGUS_RELAY_BIN in argus.env");
  });
}

function isThere(files: System["files"], program: string, path = ""): boolean {
  const folders = path.split(":").filter((folder) => folder.startsWith("/"));
  const places = program.startsWith("/") ? [program] : folders.map((folder) => join(folder, program));
  // Where this user may not look, it may be.
  return places.some((place) => ["file", "forbidden"].includes(reach(files, place).kind));
}

/** Installed, the outbox is not for every user's eyes; what the settings say is. */
function mayLook(files: System["files"], stateDir: string): boolean {
  try {
    return files.stat(outboxDir(stateDir)) !== null;
  } catch {
    return false;
  }
}

function checkOf(name: string, where: string, view: ChannelView | undefined): Ability {
  const label = `alerts: ${name}`;
  const { waiting = 0, error = null, lastSentAt = null } = view ?? {};
  if (error !== null) {
    const left = waiting === 0 ? "" : `; ${waiting} ${waiting === 1 ? "waits" : "wait"} for it`;
    return broken(label, `${error.text} (since ${minute(error.since)} UTC)${left}`, test(name));
  }
  return ok(label, `${where}${lastSentAt === null ? "" : `; the last one went ${minute(lastSentAt)} UTC`}`);
}

const test = (name: string): string => `when it is mended: argus notify --test --channel ${name}`;

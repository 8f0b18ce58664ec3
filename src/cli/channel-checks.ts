/** What `argus doctor` says of each channel: where it goes, and what its last deliveries came to. */
import { dirname } from "node:path";
import { type Ability, broken, limited, ok } from "../collect/ability.ts";
import { wayOf } from "../notify/channels/index.ts";
import { outboxDir } from "../notify/outbox.ts";
import { type ChannelView, type RefusedView, viewOutbox } from "../notify/view.ts";
import { minute } from "../report/values.ts";
import type { System } from "../system/system.ts";
import type { Channel } from "../types/channels.ts";
import type { Config } from "../types/settings.ts";
import { missingProgram, rightsNeeded } from "./program-check.ts";

export function channelChecks(
  system: System,
  { channels, stateDir, settings, executorSocket }: Config,
): Ability[] {
  const { files } = system;
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
  const views = mayLook(files, stateDir)
    ? viewOutbox(files, stateDir, names, system.clock.now().wallMs).channels
    : [];
  const checks = ways.map((way, index) => {
    const check = checkOf(way.name, `go to ${way.describe()}`, views[index]);
    return programCheck(system, executorSocket !== null, channels[index], check, views[index]);
  });
  const { telegram } = settings;
  if (telegram === undefined || !names.includes("telegram")) return checks;
  const who = `${telegram.users.length === 1 ? "the Telegram user" : "the Telegram users"} ${telegram.users.join(", ")}`;
  const what = ["look", ...telegram.may].join(", ");
  return [...checks, ok("answers", `${who} may ${what}; /help to the bot lists how`)];
}

/** What its deliveries came to counts more than what a look at the program makes one expect. */
function programCheck(
  system: System,
  isInstalled: boolean,
  channel: Channel | undefined,
  check: Ability,
  view: ChannelView | undefined,
): Ability {
  if (check.state !== "ok" || (channel?.type !== "relay" && channel?.type !== "command")) return check;
  const argv = channel.type === "relay" ? [channel.program] : channel.command;
  const missing = missingProgram(system, argv[0] ?? "", isInstalled);
  if (missing !== null)
    return channel.type === "relay"
      ? limited(
          check.name,
          `${missing}: what it is to send is written to ${channel.file}`,
          "install it, or set ARGUS_RELAY_BIN in argus.env",
        )
      : limited(
          check.name,
          missing,
          `install it, or fix command of the channel ${channel.name} in argus.json`,
        );
  const lost = isInstalled && (view?.lastSentAt ?? null) === null ? rightsNeeded(system.files, argv) : null;
  if (lost === null) return check;
  return limited(
    check.name,
    `${lost}: alerts may fail`,
    `argus notify --test --channel ${channel.name} tries it there; for mail, docs/channels.md has a way without such rights`,
  );
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
  const { waiting = 0, error = null, lastSentAt = null, refused = null } = view ?? {};
  const aside = refused === null ? "" : refusedSentence(refused);
  if (error !== null) {
    const left = waiting === 0 ? "" : `; ${waiting} ${waiting === 1 ? "waits" : "wait"} for it`;
    const why = `${error.text} (since ${minute(error.since)} UTC)${left}`;
    return broken(label, aside === "" ? why : `${why}; ${aside}`, test(name));
  }
  if (refused !== null) {
    const fix = `read what it did not get, then remove it: ${filesOf(refused)}`;
    return limited(label, `${aside}: ${refused.why}`, fix);
  }
  return ok(label, `${where}${lastSentAt === null ? "" : `; the last one went ${minute(lastSentAt)} UTC`}`);
}

/** Where they are kept, for a shell. */
const filesOf = ({ path }: Pick<RefusedView, "path">): string => `${dirname(path)}/*.refused-*`;

function refusedSentence({ count, since, path }: RefusedView): string {
  const what = count === 1 ? "1 message was" : `${count} messages were`;
  return `${what} refused for good since ${minute(since)} UTC and kept as ${count === 1 ? path : filesOf({ path })}`;
}

const test = (name: string): string => `when it is fixed: argus notify --test --channel ${name}`;

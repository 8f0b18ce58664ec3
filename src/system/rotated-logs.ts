/** Which names below /var/log are those of logs that were rotated and packed: logrotate(8), its dateext, logback. Pure. */

const compression = "\\.(?:gz|xz|zst|bz2|lz4|Z)";
/** `.1`, `.12`; `-20261120`, `.20261120`, `-2026-11-20`, each with a time after it or without. */
const rotation =
  "(?:\\.[0-9]{1,2}|[-._][0-9]{4}-?[01][0-9]-?[0-3][0-9](?:[-_.T]?[0-9]{2,10}(?:[:.][0-9]{2})*)?)";
/** `access.log.2.gz`, `messages-20261101.xz`, `catalina.2026-11-20.log.gz` */
const archive = new RegExp(`^[^.].*${rotation}(?:\\.log)?${compression}$`, "s");
/** What was packed up by another hand is a backup: `db.sql.1.gz`, `site.tar.20261101.xz`. */
const backup = /\.(?:sql|dump|dmp|tar|tgz|zip|bak|img|qcow2|ldif|db|sqlite3?)(?:[-._]|$)/i;

/**
 * Whether nobody writes it any more and it was rotated: it is packed, and its name has a number or a date. A plain
 * `access.log.1` stays: with `delaycompress` its program may write on into it, and it is the first that people look for.
 */
export function isRotatedArchive(name: string): boolean {
  return archive.test(name) && !backup.test(name);
}

/** Names and values that stand apart: in XML elements and attributes, in lists of `name` and `value`. */
import { isSecretValue, tellingOf } from "./names.ts";

const element = /(<([A-Za-z][\w.:-]{0,63})>)([^<>]{1,1024})(?=<\/)/g;
/** `name="DB_PASSWORD" value="x"`, `{"name":"DB_PASSWORD","value":"x"}`, `- name: DB_PASSWORD⏎  value: x` */
const pair =
  /(\b(?:key|name)["']?\s{0,3}[:=]\s{0,3}["']?([A-Za-z][\w.-]{0,63})["']?[\s,]{1,24}["']?value["']?\s{0,3}[:=]\s{0,3})(?:"([^"\n]{1,1024})(?=")|["']?([^\s"',<>}]{1,1024}))/gi;

export function redactPairs(text: string, mark: string): string {
  const replace = (all: string, head: string, name: string, value: string): string => {
    const telling = tellingOf(name);
    return telling !== null && isSecretValue(telling, value, { quoted: true, assigned: true })
      ? `${head}${mark}`
      : all;
  };
  return text
    .replace(element, replace)
    .replace(pair, (all, head: string, name: string, quoted: string | undefined, bare: string | undefined) =>
      replace(all, quoted === undefined ? head : `${head}"`, name, quoted ?? bare ?? ""),
    );
}

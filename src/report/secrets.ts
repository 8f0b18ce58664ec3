/** What to do about a secret that cannot be found in text by its value. */

/** @param names of the settings that hold such a secret. */
export function notHiddenSentence(names: readonly string[]): string {
  const [is, it] = names.length === 1 ? ["is", "it"] : ["are", "them"];
  return `${names.join(" and ")} ${is} too short, or too common a word, to be taken out of logs and messages when somebody repeats ${it}; use a longer secret, of 12 characters or more`;
}

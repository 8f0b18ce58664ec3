/** Editors on Windows write a byte order mark at the beginning of a file; JSON.parse takes none. */
export const withoutMark = (text: string): string => text.replace(/^\uFEFF/, "");

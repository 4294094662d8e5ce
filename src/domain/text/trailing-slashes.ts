/** Pure. A pattern such as `/\/+$/` starts at each slash of a long run again, and ends each time at what follows. */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end--;
  return text.slice(0, end);
}

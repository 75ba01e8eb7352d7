/** A table in Markdown whose columns line up, so that it reads well in a terminal too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => [...row[column]].length), 3),
  );
  const line = (cells: readonly string[]) => `| ${cells.map(align).join(" | ")} |`;
  const align = (cell: string, column: number) => {
    const padding = " ".repeat(widths[column] - [...cell].length);
    return column === 0 ? cell + padding : padding + cell;
  };
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Milliseconds, three digits. */
export function milliseconds(time: number): string {
  if (!Number.isFinite(time)) return "";
  return `${time >= 100 ? time.toFixed(0) : time >= 10 ? time.toFixed(1) : time >= 1 ? time.toFixed(2) : time.toFixed(3)} ms`;
}

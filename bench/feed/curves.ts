/** A line of a picture: what was varied, and points of that and of the cost. */
export interface Curve {
  readonly label: string;
  readonly points: readonly (readonly [x: number, costUs: number])[];
}

const width = 300;
const height = 200;
const margin = { left: 56, top: 28, right: 16, bottom: 40 };

/** A picture with one panel for each curve: cost from 0 upward, along a logarithm of what was varied. */
export function drawCurves(curves: readonly Curve[]): string {
  const highest = Math.max(...curves.flatMap(({ points }) => points.map(([, cost]) => cost)));
  const top = Math.ceil(highest / 500) * 500;
  const panel = width + margin.left + margin.right;
  const total = panel * curves.length;
  const panels = curves.map(
    (curve, index) =>
      `<g transform="translate(${index * panel + margin.left} ${margin.top})">${draw(curve, top)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height + margin.top + margin.bottom}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
${panels.join("\n")}
</svg>
`;
}

function draw({ label, points }: Curve, top: number): string {
  const start = points[0]?.[0] ?? 0;
  const along = (x: number): number => Math.log2(x + 1) - Math.log2(start + 1);
  const end = along(points.at(-1)?.[0] ?? 1);
  const place = ([x, cost]: readonly [number, number]): [string, string] => [
    ((along(x) / end) * width).toFixed(1),
    (height - (cost / top) * height).toFixed(1),
  ];
  const places = points.map(place);
  const marks = points.map(([x], index) => {
    const [left, up] = places[index] ?? ["0", "0"];
    return `<circle cx="${left}" cy="${up}" r="3" fill="#1f6feb"/><text x="${left}" y="${height + 16}" text-anchor="middle">${x}</text>`;
  });
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const up = height - share * height;
    return `<line x1="0" x2="${width}" y1="${up}" y2="${up}" stroke="#ddd"/><text x="-6" y="${up + 4}" text-anchor="end">${Math.round(top * share)}</text>`;
  });
  return [
    ...lines,
    `<polyline points="${places.map((each) => each.join(",")).join(" ")}" fill="none" stroke="#1f6feb" stroke-width="2"/>`,
    ...marks,
    `<text x="${width / 2}" y="${height + 34}" text-anchor="middle">${label}</text>`,
    `<text x="0" y="-10">CPU µs of all processes, a page of 20</text>`,
  ].join("");
}

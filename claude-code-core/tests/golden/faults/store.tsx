import { useMemo, useState } from "react";

interface Line {
  name: string;
  cents: number;
}

interface Props {
  lines: Line[];
  onPick: (line: Line) => void;
}

function Price({ cents }: { cents: number }) {
  return <b className="price">{(cents / 100).toFixed(2)} EUR</b>;
}

export function Table({ lines, onPick }: Props) {
  const [filter, setFilter] = useState("");
  const shown = useMemo(() => {
    return lines.filter((line) => line.name.includes(filter));
  }, [lines, filter]);

  if (lines.length === 0) {
    return <p>Nothing here.</p>;
  }

  return (
    <section>
      <label>
        Filter
        <input value={filter} onChange={(event) => setFilter(event.target.value)} />
      </label>
      <table>
        <tbody>
          {shown.map((line) => (
            <tr key={line.name} onClick={() => onPick(line)}>
              <td>{line.name}</td>
              <td>
                <Price cents={line.cents} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length > 10 ? <p>{shown.length} lines</p> : null}
    </section>
  );
}

export default function App() {
  const [picked, setPicked] = useState<Line | null>(null);
  const lines: Line[] = [
    { name: "tea", cents: 300 },
    { name: "milk", cents: 120 },
  ];
  return (
    <main>
      <h1 title={picked ? picked.name : "none"}>Shop</h1>
      <Table lines={lines} onPick={setPicked} />
    </main>
  );
}

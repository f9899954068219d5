import { useEffect, useState } from "react";

/** The time by the server's clock, as coarse as dates need it: renewed when a minute has gone, so that midnight shows. */
export function useNow(clockOffset: number): number {
	const [now, setNow] = useState(() => Date.now());
	useEffect(() => {
		const quarter = (ms: number) => Math.floor((ms + clockOffset) / 900_000);
		const timer = setInterval(() => {
			const next = Date.now();
			// Only a new quarter hour by the server is worth a render; every zone's midnight falls on one.
			setNow((before) => (quarter(next) === quarter(before) ? before : next));
		}, 60_000);
		return () => clearInterval(timer);
	}, [clockOffset]);
	return now + clockOffset;
}

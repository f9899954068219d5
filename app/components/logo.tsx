const mark =
	"M51.8 14.1C50.0 12.3 47.4 10.1 44.8 8.7C42.3 7.3 39.3 6.4 36.5 5.9C33.6 5.5 30.5 5.5 27.7 6.0C24.8 6.5 22.0 7.5 19.4 9.0C16.9 10.4 14.6 12.3 12.7 14.4C10.8 16.6 9.2 19.1 8.1 21.8C7.0 24.4 6.5 28.8 6.2 30.2A1.6 1.6 0 0 0 9.6 30.4C9.9 29.2 10.5 25.4 11.7 23.3C12.9 21.3 14.8 19.3 16.6 18.0C18.5 16.7 20.9 15.8 23.0 15.4C25.1 15.1 27.4 15.3 29.3 15.7C31.2 16.2 33.0 17.2 34.4 18.1C35.8 19.1 36.8 20.5 37.7 21.6C38.7 22.7 39.3 23.9 40.0 24.8A8.0 8.0 0 0 0 51.8 14.1Z";
// The answer is the same mark, upside down.
const answer = "matrix(1 0 0 -1 0 64)";

/** Two speech marks, one answering the other; together a C. */
export function Logo({ size = "m" }: { size?: "m" | "l" }) {
	return (
		<svg className={`logo logo-${size}`} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
			<path className="logo-upper" d={mark} />
			<path className="logo-lower" d={mark} transform={answer} />
		</svg>
	);
}

/** Where nothing has been said: one mark filled, the answer still dashed. */
export function EmptyArt() {
	return (
		<svg className="art" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
			<path className="art-said" d={mark} />
			<path className="art-due" d={mark} transform={answer} />
		</svg>
	);
}

const upper =
	"M51.8 14.1C50.0 12.3 47.4 10.1 44.8 8.7C42.3 7.3 39.3 6.4 36.5 5.9C33.6 5.5 30.5 5.5 27.7 6.0C24.8 6.5 22.0 7.5 19.4 9.0C16.9 10.4 14.6 12.3 12.7 14.4C10.8 16.6 9.2 19.1 8.1 21.8C7.0 24.4 6.5 28.8 6.2 30.2A1.6 1.6 0 0 0 9.6 30.4C9.9 29.2 10.5 25.4 11.7 23.3C12.9 21.3 14.8 19.3 16.6 18.0C18.5 16.7 20.9 15.8 23.0 15.4C25.1 15.1 27.4 15.3 29.3 15.7C31.2 16.2 33.0 17.2 34.4 18.1C35.8 19.1 36.8 20.5 37.7 21.6C38.7 22.7 39.3 23.9 40.0 24.8A8.0 8.0 0 0 0 51.8 14.1Z";
const lower =
	"M51.8 49.9C50.0 51.7 47.4 53.9 44.8 55.3C42.3 56.7 39.3 57.6 36.5 58.1C33.6 58.5 30.5 58.5 27.7 58.0C24.8 57.5 22.0 56.5 19.4 55.0C16.9 53.6 14.6 51.7 12.7 49.6C10.8 47.4 9.2 44.9 8.1 42.2C7.0 39.6 6.5 35.2 6.2 33.8A1.6 1.6 0 0 1 9.6 33.6C9.9 34.8 10.5 38.6 11.7 40.7C12.9 42.7 14.8 44.7 16.6 46.0C18.5 47.3 20.9 48.2 23.0 48.6C25.1 48.9 27.4 48.7 29.3 48.3C31.2 47.8 33.0 46.8 34.4 45.9C35.8 44.9 36.8 43.5 37.7 42.4C38.7 41.3 39.3 40.1 40.0 39.2A8.0 8.0 0 0 1 51.8 49.9Z";

/** Two speech marks, one answering the other; together a C. */
export function Logo({ size = "m" }: { size?: "m" | "l" }) {
	return (
		<svg className={`logo logo-${size}`} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
			<path className="logo-upper" d={upper} />
			<path className="logo-lower" d={lower} />
		</svg>
	);
}

/** Where nothing has been said: one mark filled, the answer still dashed. */
export function EmptyArt() {
	return (
		<svg className="art" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
			<path className="art-said" d={upper} />
			<path className="art-due" d={lower} />
		</svg>
	);
}

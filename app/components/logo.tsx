/** Two speech marks that form a C. */
export function Logo({ size = "m" }: { size?: "m" | "l" }) {
	return (
		<svg className={`logo logo-${size}`} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
			<path
				className="logo-upper"
				d="M27 9.6C24.8 5.7 20.7 3.5 16.2 3.5 9.3 3.5 4 8.7 4 15.2h6.6c0-3.2 2.5-5.7 5.7-5.7 2 0 3.6.900 4.7 2.4L27 9.6Z"
			/>
			<path
				className="logo-lower"
				d="M4 17.6c.3 3.4 1.9 6.3 4.5 8.2L7.2 30l5.3-2.3c1.2.500 2.5.700 3.8.700 4.5 0 8.5-2.3 10.7-6.1l-6-2.3c-1.1 1.5-2.8 2.4-4.7 2.4-2.8 0-5.1-2-5.6-4.8H4Z"
			/>
		</svg>
	);
}

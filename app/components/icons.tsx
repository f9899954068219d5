/** Drawn on a 20 px grid with one stroke weight; always decorative, since the control has a name of its own. */
const paths = {
	settings: "M4 6h7M15 6h1M4 14h1M9 14h7M15 6a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM9 14a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z",
	warn: "M10 3.5 17.5 16.5h-15ZM10 8.5v3.6M10 14.4v.1",
	cloud: "M3 3l14 14M6 8.2A3.7 3.7 0 0 0 6.5 15.5h7.5M9.5 5.2a4.6 4.6 0 0 1 4.9 3.4 3.5 3.5 0 0 1 2.3 5",
	back: "M12 4.5 6.5 10l5.5 5.5",
	more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
	reply: "M8 4.5 3.5 9 8 13.5M4 9h7a5 5 0 0 1 5 5v2",
	edit: "m12.8 4.2 3 3L7 16H4v-3Z",
	close: "m5.5 5.5 9 9m0-9-9 9",
	send: "M10 16V4.5M5 9.2l5-5 5 5",
	people:
		"M7.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM3 15.5c.3-2.5 2.1-4 4.5-4s4.2 1.5 4.5 4M13 9.3a2.2 2.2 0 1 0-.8-4.2M14 11.7c1.7.300 2.8 1.6 3 3.5",
	pages: "M10 5.2C8.5 4 6.2 3.7 3.5 4v11c2.7-.3 5 .1 6.5 1.2 1.5-1.1 3.8-1.5 6.5-1.2V4c-2.7-.3-5 0-6.5 1.2ZM10 5.2v11",
	about: "M10 9.2v4.5M10 6.5h.01M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z",
	plus: "M10 4.5v11M4.5 10h11",
	compass: "M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0ZM12.7 7.3l-1.5 3.9-3.9 1.5 1.5-3.9 3.9-1.5Z",
	search: "M13.2 13.2 16.5 16.5M14.5 9a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0Z",
	lock: "M5.5 9.5h9v6.5h-9V9.5ZM7.5 9.5V7a2.5 2.5 0 0 1 5 0v2.5",
	mark: "M10.4 2.2c3.9 0 6.8 2.8 6.8 6.7 0 4.9-3.9 8.4-9.6 9.1-.9.1-1.2-1-.4-1.4 2.3-1.1 3.6-2.3 4-3.7-.3.1-.8.1-1.2.1-3.5 0-6.2-2.3-6.2-5.3 0-3.2 2.9-5.5 6.6-5.5z",
	down: "M10 4.5v11M5 11l5 5 5-5",
	leave: "M8.5 4.5H4.5v11h4M9 10h7.5M13.5 7l3 3-3 3",
	trash: "M4.5 6h11M8 6V4.5h4V6M6 6l.7 9.5h6.6L14 6",
	journey: "M4.5 15.5h.01M4.5 12.5V10a3.500 3.500 0 0 1 7 0 3.500 3.500 0 0 0 4 3.500V7M13 9l2.500-2.500L18 9",
	link: "M8.5 11.5 11.5 8.5M9.5 6.5l1.5-1.5a3 3 0 0 1 4.2 4.2l-1.5 1.5M10.5 13.5 9 15a3 3 0 0 1-4.2-4.2l1.5-1.5",
	copy: "M7.5 7.5h8v8h-8v-8ZM4.5 12.5v-8h8",
	keys: "M3 6h14v8.5H3V6ZM6 9h.01M9 9h.01M12 9h.01M14.5 9h.01M6.5 12h7",
	warning: "M10 4 3 16h14L10 4ZM10 8.500v3.500M10 14h.01",
	menu: "M3.5 6h13M3.5 10h13M3.5 14h13",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
	return (
		<svg
			className={name === "more" ? "icon icon-dots" : name === "mark" ? "icon icon-mark" : "icon"}
			viewBox="0 0 20 20"
			aria-hidden="true"
			focusable="false"
		>
			<path d={paths[name]} />
		</svg>
	);
}

import { type MetricType, onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";

/** Tells the web vitals of this page, each when it is final: with the load, or when the page is hidden. */
export function watchVitals(tell: (vital: { name: string; value: number; rating: string }) => void): void {
	const hear = ({ name, value, rating }: MetricType) => tell({ name: name.toLowerCase(), value, rating });
	for (const watch of [onCLS, onFCP, onINP, onLCP, onTTFB]) watch(hear);
}

import type { Stage } from "../config.ts";
import { type LogGroupName, logGroupName } from "./log-groups.ts";

/** A file of an instance that the CloudWatch agent reads, and where its lines go. */
type Followed = { file: string; group: LogGroupName; stream: string; timestamp?: string; multiline?: string };

/**
 * What the agent ships. The server's own lines are not among them: winston-cloudwatch ships those itself, and shipping them twice
 * would double every count that is made from them. What the server says before it can ship (a configuration that is wrong, a
 * crash) goes to standard error, so to the journal, so to /var/log/messages.
 */
export const followedFiles: readonly Followed[] = [
	{ file: "/var/log/messages", group: "system", stream: "messages", timestamp: "%b %d %H:%M:%S" },
	{ file: "/var/log/cloud-init-output.log", group: "system", stream: "cloud-init" },
	{
		file: "/var/log/aws/codedeploy-agent/codedeploy-agent.log",
		group: "deploy",
		stream: "agent",
		timestamp: "%Y-%m-%dT%H:%M:%S",
		multiline: "^\\d{4}-\\d{2}-\\d{2}T",
	},
	{
		file: "/opt/codedeploy-agent/deployment-root/deployment-logs/codedeploy-agent-deployments.log",
		group: "deploy",
		stream: "hooks",
		timestamp: "[%Y-%m-%d %H:%M:%S",
	},
];

/** Where the agent's own numbers of a machine stand. */
export const hostNamespace = "Chat/Host";
export const hostMetrics = ["mem_used_percent", "disk_used_percent", "netstat_tcp_established", "procstat_num_fds"] as const;

/** The CloudWatch agent's configuration, as it reads it from the Parameter Store. */
export function agentConfig(stage: Stage) {
	return {
		agent: { metrics_collection_interval: 60, run_as_user: "root" },
		metrics: {
			namespace: hostNamespace,
			// One figure for the fleet: each further dimension would be billed as a metric of its own.
			append_dimensions: { AutoScalingGroupName: "$" + "{aws:AutoScalingGroupName}" },
			aggregation_dimensions: [["AutoScalingGroupName"]],
			metrics_collected: {
				mem: { measurement: ["mem_used_percent"] },
				disk: { measurement: ["used_percent"], resources: ["/"], drop_device: true },
				netstat: { measurement: ["tcp_established"] },
				procstat: [{ pattern: "server\\.ts", measurement: ["num_fds"] }],
			},
		},
		logs: {
			force_flush_interval: 15,
			logs_collected: {
				files: {
					collect_list: followedFiles.map(({ file, group, stream, timestamp, multiline }) => ({
						file_path: file,
						log_group_name: logGroupName(stage, group),
						log_stream_name: `{instance_id}/${stream}`,
						...(timestamp ? { timestamp_format: timestamp, timezone: "UTC" } : {}),
						...(multiline ? { multi_line_start_pattern: multiline } : {}),
					})),
				},
			},
		},
	};
}

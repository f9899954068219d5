/**
 * What whoever deploys must be allowed: to become the CDK's roles, and to ask AWS what preflight asks. In the one region: asked about all of
 * them, IAM would refuse whoever may do it where it is needed and nowhere else.
 */
export function deployedBy(account: string, region: string): { actions: string[]; resource: string }[] {
	return [
		...["deploy", "file-publishing", "lookup"].map((role) => ({
			actions: ["sts:AssumeRole"],
			resource: `arn:aws:iam::${account}:role/cdk-hnb659fds-${role}-role-*`,
		})),
		{ actions: ["ssm:GetParameter"], resource: `arn:aws:ssm:${region}:${account}:parameter/cdk-bootstrap/hnb659fds/version` },
		// After the first deployment: the pipeline's first run, and what the runbooks ask.
		{
			actions: ["codepipeline:StartPipelineExecution", "codepipeline:GetPipelineState"],
			resource: `arn:aws:codepipeline:${region}:${account}:chat-*`,
		},
		{
			actions: ["codedeploy:StopDeployment", "codedeploy:GetDeployment"],
			resource: `arn:aws:codedeploy:${region}:${account}:deploymentgroup:chat-*/*`,
		},
		{ actions: ["ssm:StartSession"], resource: `arn:aws:ec2:${region}:${account}:instance/*` },
		{ actions: ["logs:StartQuery", "logs:GetQueryResults"], resource: `arn:aws:logs:${region}:${account}:log-group:/chat/*` },
	];
}

output "endpoint" {
  description = "The address of the API and of its page."
  value       = "${aws_api_gateway_stage.prod.invoke_url}/"
}

output "function_name" {
  value = aws_lambda_function.this.function_name
}

output "results_bucket_name" {
  value = aws_s3_bucket.this["results"].bucket
}

output "batch_role_arn" {
  value = aws_iam_role.batch.arn
}

output "api_key_id" {
  description = "aws apigateway get-api-key --include-value --api-key ID"
  value       = one(aws_api_gateway_api_key.this[*].id)
}

output "invocation_log_role_arn" {
  description = "For Bedrock's invocation logging."
  value       = one(aws_iam_role.invocation_log[*].arn)
}

output "page_app_id" {
  description = "The Amplify app of the page."
  value       = one(aws_amplify_app.page[*].id)
}

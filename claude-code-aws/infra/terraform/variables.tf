variable "code_bucket" {
  description = "The bucket that holds the function's zip. deploy.sh makes one."
  type        = string
}

variable "code_key" {
  description = "The key of the function's zip in code_bucket."
  type        = string
}

variable "runtime" {
  description = "rust: arm64, answers are streamed. python3.11: x86_64, buffered."
  type        = string
  default     = "rust"
  validation {
    condition     = contains(["rust", "python3.11"], var.runtime)
    error_message = "runtime takes rust or python3.11."
  }
}

variable "profile_scope" {
  description = "The geography of the inference profiles. global may leave the region."
  type        = string
  default     = "global"
  validation {
    condition     = contains(["global", "us", "eu", "jp", "au", "in"], var.profile_scope)
    error_message = "profile_scope takes global, us, eu, jp, au or in."
  }
}

variable "api_keys" {
  description = "true: callers send x-api-key. false: callers sign requests with AWS credentials (IAM)."
  type        = bool
  default     = false
}

variable "allowed_origins" {
  description = "Origins of pages that browsers may call from, separated by commas."
  type        = string
  default     = ""
}

variable "service_bucket_name" {
  description = "The bucket of the service creator. Bucket names are global: another one where this is taken."
  type        = string
  default     = "cloudservicecreator-code"
}

variable "reserved_concurrency" {
  description = "Invocations at the same time at most; 0: no reservation."
  type        = number
  default     = 20
  validation {
    condition     = var.reserved_concurrency >= 0
    error_message = "reserved_concurrency takes 0 or more."
  }
}

variable "max_usd_per_day" {
  description = "The function refuses generations beyond this many dollars a day (UTC)."
  type        = number
  default     = 10
  validation {
    condition     = var.max_usd_per_day >= 1
    error_message = "max_usd_per_day takes 1 or more."
  }
}

variable "monthly_budget_usd" {
  description = "AWS Budgets tells at 80 % of this many dollars a month, over the whole account."
  type        = number
  default     = 100
  validation {
    condition     = var.monthly_budget_usd >= 1
    error_message = "monthly_budget_usd takes 1 or more."
  }
}

variable "alarm_email" {
  description = "Who is told of alarms and of the budget; empty: nobody."
  type        = string
  default     = ""
}

variable "anthropic_secret_arn" {
  description = "A secret with an Anthropic API key; empty: Amazon Bedrock answers."
  type        = string
  default     = ""
}

variable "gateway_logging" {
  description = "API Gateway's logging role is one per account and region: existing keeps the one that is set."
  type        = string
  default     = "create"
  validation {
    condition     = contains(["create", "existing"], var.gateway_logging)
    error_message = "gateway_logging takes create or existing."
  }
}

variable "transaction_search" {
  description = "true: X-Ray Transaction Search for the whole account and region."
  type        = bool
  default     = false
}

variable "invocation_logging" {
  description = "true: log group and role for Bedrock's model invocation logging, which deploy.sh switches on without texts."
  type        = bool
  default     = false
}

variable "page" {
  description = "true: an Amplify app for the service creator's page; deploy.sh uploads it."
  type        = bool
  default     = false
}

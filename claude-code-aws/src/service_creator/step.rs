//! The seven questions, as data.

/// How many questions there are.
pub const TOTAL_STEPS: usize = 7;

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The field of [`ServiceData`](super::ServiceData) that its answer fills.
    pub field: &'static str,
    /// A few words, for a list of steps.
    pub title: &'static str,
    /// What is asked where no model adapts it.
    pub question: &'static str,
    /// An answer that people may begin from; together they are the offline sample.
    pub example: &'static str,
}

/// The questions, in their order.
pub const STEPS: [Step; TOTAL_STEPS] = [
    Step {
        field: "service_type",
        title: "Service type",
        question: "What kind of cloud service do you want to create?",
        example: "vFirewall",
    },
    Step {
        field: "intent",
        title: "Purpose",
        question: "What should it do, and for whom?",
        example: "Let tenants filter the traffic of their virtual networks",
    },
    Step {
        field: "features",
        title: "Features",
        question: "Which features must it have? Separate them by commas.",
        example: "Traffic Filtering",
    },
    Step {
        field: "vendor",
        title: "Vendor",
        question: "Which vendor's product or platform stands behind it?",
        example: "Cisco",
    },
    Step {
        field: "api_docs",
        title: "API documentation",
        question: "Where is the vendor's API documented? Give the URLs, or say none.",
        example: "none",
    },
    Step {
        field: "pricing_model",
        title: "Pricing",
        question: "How is it priced: per hour, per use, by subscription, or free?",
        example: "per rule and hour",
    },
    Step {
        field: "logging_and_auth",
        title: "Logging and authentication",
        question: "How should it log, and how do its callers sign in?",
        example: "JSON logs, bearer tokens",
    },
];

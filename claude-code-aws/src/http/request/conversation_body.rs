//! Request bodies of the conversation routes.

use crate::service_creator::{FILES, MAX_ANSWER, MAX_ITEMS, MAX_NAME, ServiceData};
use schemars::JsonSchema;
use serde::Deserialize;

use super::generate_body::{NOT_BLANK, whole};
use serde::de::{Deserializer, Error};

/// What happens next in a conversation.
#[derive(Clone, JsonSchema)]
#[schemars(rename = "ConversationRequest", tag = "action", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum ConversationBody {
    /// Begins one.
    Start {},
    /// Answers the waiting question.
    Message {
        /// Which conversation.
        #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
        conversation_id: String,
        /// The answer.
        #[schemars(length(min = 1, max = MAX_ANSWER), regex(pattern = NOT_BLANK))]
        message: String,
        /// The step that is answered, from 1; another one than waits is refused.
        #[schemars(range(min = 1, max = 7))]
        step: Option<u32>,
    },
    /// Writes the six files.
    Generate {
        /// Which conversation.
        #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
        conversation_id: String,
        /// The description; left out: the conversation's.
        service_data: Option<ServiceBody>,
    },
    /// Puts another answer to a step that is answered.
    Edit {
        /// Which conversation.
        #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
        conversation_id: String,
        /// The step, from 1.
        #[schemars(range(min = 1, max = 7))]
        step: u32,
        /// The answer.
        #[schemars(length(min = 1, max = MAX_ANSWER), regex(pattern = NOT_BLANK))]
        message: String,
    },
    /// Names the service.
    Rename {
        /// Which conversation.
        #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
        conversation_id: String,
        /// The name.
        #[schemars(length(min = 1, max = MAX_NAME), regex(pattern = NOT_BLANK))]
        name: String,
    },
    /// Changes the written files; the version before stays.
    Refine {
        /// Which conversation.
        #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
        conversation_id: String,
        /// What is to change, in plain words.
        #[schemars(length(min = 1, max = MAX_ANSWER), regex(pattern = NOT_BLANK))]
        instructions: String,
        /// The only file that may change; left out: all of them.
        #[schemars(extend("enum" = one_of_the_six()))]
        file: Option<String>,
    },
    /// Tells what the six files would cost at most. Sends nothing to a model.
    Estimate {
        /// Which conversation.
        #[schemars(regex(pattern = r"^[A-Za-z0-9-]{1,64}$"))]
        conversation_id: String,
    },
}

/// Values of `file`, for the API's description.
fn one_of_the_six() -> Vec<Option<&'static str>> {
    FILES.into_iter().map(Some).chain([None]).collect()
}

/// A description of a service: 65,536 bytes of text at most.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ServiceData")]
pub(crate) struct ServiceBody {
    /// What kind of service it is.
    #[schemars(length(max = MAX_ANSWER))]
    service_type: String,
    /// What it does, and for whom.
    #[schemars(length(max = MAX_ANSWER))]
    intent: String,
    /// What it must have.
    #[schemars(length(max = MAX_ITEMS), inner(length(max = MAX_ANSWER)))]
    features: Vec<String>,
    /// Whose product stands behind it.
    #[schemars(length(max = MAX_ANSWER))]
    vendor: String,
    /// Where the vendor's API is documented.
    #[schemars(length(max = MAX_ITEMS), inner(length(max = MAX_ANSWER)))]
    api_docs: Vec<String>,
    /// How it is priced.
    #[schemars(length(max = MAX_ANSWER))]
    pricing_model: String,
    /// How it logs and how its callers sign in.
    #[schemars(length(max = MAX_ANSWER))]
    logging_and_auth: String,
}

impl From<ServiceBody> for ServiceData {
    fn from(body: ServiceBody) -> Self {
        ServiceData {
            service_type: body.service_type,
            intent: body.intent,
            features: body.features,
            vendor: body.vendor,
            api_docs: body.api_docs,
            pricing_model: body.pricing_model,
            logging_and_auth: body.logging_and_auth,
        }
    }
}

/// A body before its action decides which fields it may have: an error names its field, which one inside a tagged
/// enum would not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    action: Action,
    conversation_id: Option<String>,
    message: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    step: Option<u32>,
    service_data: Option<ServiceBody>,
    name: Option<String>,
    instructions: Option<String>,
    file: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Start,
    Message,
    Generate,
    Edit,
    Rename,
    Refine,
    Estimate,
}

impl Action {
    /// The fields that it takes.
    fn takes(self) -> &'static [&'static str] {
        match self {
            Action::Start => &[],
            Action::Message | Action::Edit => &["conversation_id", "message", "step"],
            Action::Generate => &["conversation_id", "service_data"],
            Action::Rename => &["conversation_id", "name"],
            Action::Refine => &["conversation_id", "instructions", "file"],
            Action::Estimate => &["conversation_id"],
        }
    }
}

impl<'de> Deserialize<'de> for ConversationBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = Said::deserialize(deserializer)?;
        let given = [
            ("conversation_id", said.conversation_id.is_some()),
            ("message", said.message.is_some()),
            ("step", said.step.is_some()),
            ("service_data", said.service_data.is_some()),
            ("name", said.name.is_some()),
            ("instructions", said.instructions.is_some()),
            ("file", said.file.is_some()),
        ];
        let takes = said.action.takes();
        if let Some((name, _)) = given.iter().find(|(name, is_given)| *is_given && !takes.contains(name)) {
            return Err(D::Error::unknown_field(name, takes));
        }
        let Said { action, step, service_data, file, .. } = said;
        let needed = |field: &'static str, value: Option<String>| value.ok_or(D::Error::missing_field(field));
        let id = needed("conversation_id", said.conversation_id);
        let message = needed("message", said.message);
        Ok(match action {
            Action::Start => ConversationBody::Start {},
            Action::Message => ConversationBody::Message { conversation_id: id?, message: message?, step },
            Action::Generate => ConversationBody::Generate { conversation_id: id?, service_data },
            Action::Edit => {
                let step = step.ok_or(D::Error::missing_field("step"))?;
                ConversationBody::Edit { conversation_id: id?, step, message: message? }
            }
            Action::Rename => {
                ConversationBody::Rename { conversation_id: id?, name: needed("name", said.name)? }
            }
            Action::Refine => {
                let instructions = needed("instructions", said.instructions)?;
                ConversationBody::Refine { conversation_id: id?, instructions, file }
            }
            Action::Estimate => ConversationBody::Estimate { conversation_id: id? },
        })
    }
}

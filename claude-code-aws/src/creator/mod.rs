//! The service creator: a conversation that is kept turn by turn, then six files. The same for the HTTP API and the
//! command line.

mod writing;

pub(crate) use writing::{Run, Written};

use std::sync::Arc;

use claude_code_core::service::{
    Conversation, MemoryServices, STEPS, ServiceStore, Services, adapted, question_request,
};
use claude_code_core::{Client, Result, Scope};

use crate::config::Config;
use crate::connect::Connected;
use crate::services::AwsServices;

/// Where conversations and services of this client are: beside its results, else in memory.
pub(crate) fn services(connected: &Connected, config: &Config) -> Services {
    let store: Arc<dyn ServiceStore> = match &connected.places {
        Some(places) => Arc::new(AwsServices::new(
            aws_sdk_dynamodb::Client::new(&places.sdk),
            crate::s3::client(&places.sdk),
            &config.service_table,
            &config.service_bucket,
        )),
        None => Arc::new(MemoryServices::default()),
    };
    Services::new(store, connected.client.clock().clone())
}

/// The service creator for one scope: the client's.
#[derive(Clone, Debug)]
pub(crate) struct Creator {
    client: Client,
    pub(crate) services: Services,
}

impl Creator {
    pub(crate) fn new(client: Client, services: Services) -> Self {
        Creator { client, services }
    }

    pub(crate) fn scope(&self) -> &Scope {
        self.client.scope()
    }

    /// A new conversation, which has asked its first question.
    pub(crate) async fn start(&self) -> Result<Conversation> {
        self.services.start(self.scope(), &self.client.new_id()).await
    }

    /// The conversation as it stands.
    #[cfg(feature = "cli")]
    pub(crate) async fn conversation(&self, id: &str) -> Result<Conversation> {
        Ok(self.services.conversation(self.scope(), id).await?.0)
    }

    /// Takes the answer to the waiting question and asks the next one. `Conflict` if it is not at this step, or if
    /// somebody else answered meanwhile.
    pub(crate) async fn say(&self, id: &str, step: Option<usize>, message: &str) -> Result<Conversation> {
        let (mut conversation, version) = self.services.conversation(self.scope(), id).await?;
        conversation.answer(step, message)?;
        if let Some(fixed) = STEPS.get(conversation.answered) {
            let question = self.question(&conversation).await.unwrap_or_else(|| fixed.question.to_owned());
            conversation.ask(&question);
        }
        self.services.save(self.scope(), &conversation, version).await?;
        Ok(conversation)
    }

    /// The next question in words that fit the answers; none where no model can be had in time.
    async fn question(&self, conversation: &Conversation) -> Option<String> {
        let request = question_request(conversation)?;
        match self.client.generate(request).await {
            Ok(generation) => adapted(&generation.files).map(str::to_owned),
            Err(error) => {
                tracing::debug!(kind = %error.kind, "the question is asked in its fixed words");
                None
            }
        }
    }
}

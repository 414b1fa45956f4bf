//! The sequence of a service: start, seven answers, six files. Hosts show it; the order is known here alone.

use std::time::Duration;

use super::conversation::Conversation;
use super::data::ServiceData;
use super::question::{adapted, question_request};
use super::step::STEPS;
use super::store::{Code, Services};
use super::writing::Writing;
use crate::answer::file::CodeFile;
use crate::client::Client;
use crate::error::Result;
use crate::model::Tier;
use crate::request::GenerateRequest;

/// The service creator of one caller: a client, whose scope everything is kept in, and the place of conversations.
#[derive(Clone, Debug)]
pub struct Creator {
    pub(super) client: Client,
    pub(super) services: Services,
}

impl Creator {
    /// A creator over this client and these services.
    pub fn new(client: Client, services: Services) -> Self {
        Creator { client, services }
    }

    /// A new conversation, which has asked its first question.
    pub async fn start(&self) -> Result<Conversation> {
        self.services.start(self.client.scope(), &self.client.new_id()).await
    }

    /// The conversation as it stands. `NotFound` outside the client's scope.
    pub async fn conversation(&self, id: &str) -> Result<Conversation> {
        Ok(self.services.conversation(self.client.scope(), id).await?.0)
    }

    /// Takes an answer and asks the next question, in a model's words where one can be had in time. `Conflict` for
    /// another step than the waiting one, and where somebody else answered meanwhile.
    pub async fn message(&self, id: &str, step: Option<usize>, message: &str) -> Result<Conversation> {
        let (mut conversation, version) = self.services.conversation(self.client.scope(), id).await?;
        conversation.answer(step, message)?;
        if let Some(fixed) = STEPS.get(conversation.answered) {
            let question = self.ask(&conversation).await.unwrap_or_else(|| fixed.question.to_owned());
            conversation.ask(&question);
        }
        self.services.save(self.client.scope(), &conversation, version).await?;
        Ok(conversation)
    }

    /// The next question in words that fit the answers; none where no model can be had in time.
    async fn ask(&self, conversation: &Conversation) -> Option<String> {
        let request = self.tiered(question_request(conversation)?, Tier::Simple);
        match self.client.generate(request).await {
            Ok(generation) => adapted(&generation.files).map(str::to_owned),
            Err(error) => {
                tracing::debug!(kind = %error.kind, "the question is asked in its fixed words");
                None
            }
        }
    }

    /// The request for this tier, unless the client has a model of its own: who named one wants no other.
    pub(super) fn tiered(&self, request: GenerateRequest, tier: Tier) -> GenerateRequest {
        if self.client.policy().model.is_some() { request } else { request.with_tier(tier) }
    }

    /// The right to write the files of a conversation, or of the given description, within this time. Looks at what
    /// is there already; `Conflict` while another writer lives.
    pub async fn write(
        &self,
        id: &str,
        given: Option<ServiceData>,
        within: Option<Duration>,
    ) -> Result<Writing> {
        let scope = self.client.scope();
        let (mut conversation, version) = self.services.conversation(scope, id).await?;
        let data = conversation.description(given)?;
        let before = conversation.code.clone();
        let code = conversation.code_for(&data, || self.client.new_id());
        if before.as_ref() != Some(&code) {
            self.services.save(scope, &conversation, version).await?;
        }
        // Also where the code was begun before: that run may have ended between both rows.
        self.services.describe(scope, &code).await?;
        Writing::begin(self.clone(), code, within).await
    }

    /// The files of a written code with their contents.
    pub async fn files(&self, code: &Code) -> Result<Vec<CodeFile>> {
        self.services.files(code).await
    }
}

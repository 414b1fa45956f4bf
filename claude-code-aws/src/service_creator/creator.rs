//! Service creator: the sequence of start, seven answers and six files. Hosts show it; the order is known here alone.

use std::time::Duration;

use super::conversation::{Change, Conversation};
use super::data::ServiceData;
use super::files::{self, FILES};
use super::question::{adapted, question_request};
use super::step::STEPS;
use super::store::{Code, Services};
use super::writing::Writing;
use crate::Client;
use crate::answer::file::CodeFile;
use crate::model::Tier;
use crate::plan::Estimate;
use crate::request::GenerateRequest;
use crate::{Error, ErrorKind, Result};

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
        // Its answer was lost on the way: the message is taken once.
        let repeated = step.and_then(|step| conversation.said(step)).is_some_and(|(_, said)| said == message);
        if repeated && step == Some(conversation.answered) {
            return Ok(conversation);
        }
        conversation.answer(step, message)?;
        if let Some(fixed) = STEPS.get(conversation.answered) {
            let question = self.ask(&conversation).await.unwrap_or_else(|| fixed.question.to_owned());
            conversation.ask(&question);
        }
        self.keep(conversation, version).await
    }

    /// Puts another answer to a step that is answered, from 1. `Conflict` where somebody else was faster.
    pub async fn edit(&self, id: &str, step: usize, message: &str) -> Result<Conversation> {
        let (mut conversation, version) = self.services.conversation(self.client.scope(), id).await?;
        conversation.edit(step, message)?;
        self.keep(conversation, version).await
    }

    /// Names a service.
    pub async fn rename(&self, id: &str, name: &str) -> Result<Conversation> {
        let (mut conversation, version) = self.services.conversation(self.client.scope(), id).await?;
        conversation.rename(name)?;
        self.keep(conversation, version).await
    }

    /// Saves the conversation and sums it up in the list, which can be had from it again.
    async fn keep(&self, conversation: Conversation, version: u64) -> Result<Conversation> {
        self.services.save(self.client.scope(), &conversation, version).await?;
        self.list(&conversation, None).await;
        Ok(conversation)
    }

    pub(super) async fn list(&self, conversation: &Conversation, code: Option<&Code>) {
        if let Err(error) = self.services.note(self.client.scope(), conversation, code).await {
            tracing::warn!(%error, "a service could not be listed: its address still leads to it");
        }
    }

    /// What the six files would come to at most. Sends nothing.
    pub async fn estimate(&self, id: &str) -> Result<Estimate> {
        let data = self.conversation(id).await?.description(None)?;
        self.client.estimate(self.tiered(files::request(&data, &[]), Tier::Medium))
    }

    /// The newest code of a conversation that was written to its end.
    pub async fn newest(&self, conversation: &Conversation) -> Result<Option<Code>> {
        self.services.newest(self.client.scope(), conversation).await
    }

    /// The next question in words that fit the answers; none where no model can be had in time.
    async fn ask(&self, conversation: &Conversation) -> Option<String> {
        let request = self.tiered(question_request(conversation)?, Tier::Simple);
        match self.client.generate(request).await {
            Ok(generation) => adapted(&generation.files).map(str::to_owned),
            Err(error) => {
                tracing::debug!(kind = %error.kind(), "the question is asked in its fixed words");
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
        let data = self.known(conversation.description(given)?);
        let before = conversation.code.clone();
        let code = conversation.code_for(&data, || self.client.new_id());
        if before.as_ref() != Some(&code) {
            self.services.save(scope, &conversation, version).await?;
        }
        // Also where the code was begun before: that run may have ended between both rows.
        self.services.describe(scope, &code).await?;
        Writing::begin(self.clone(), conversation, code, within).await
    }

    /// The right to change the files of a conversation as the instructions say, all of them or one, within this time. The
    /// code that is changed stays. `Conflict` where there is none yet, and while another writer lives.
    pub async fn refine(
        &self,
        id: &str,
        instructions: &str,
        file: Option<&str>,
        within: Option<Duration>,
    ) -> Result<Writing> {
        if instructions.trim().is_empty() {
            return Err(Error::invalid("instructions are empty: say what is to change"));
        }
        if let Some(other) = file.filter(|file| !FILES.contains(file)) {
            return Err(Error::invalid(format!("file {other:?} is none of the six: {}", FILES.join(", "))));
        }
        let scope = self.client.scope();
        let (mut conversation, version) = self.services.conversation(scope, id).await?;
        let whole = self.newest(&conversation).await?.filter(|code| code.files.len() == FILES.len());
        let Some(whole) = whole else {
            return Err(Error::new(
                ErrorKind::Conflict,
                "there are no six files to change yet: write them first",
            ));
        };
        // Its answer was lost on the way: what is made and accepted is not paid again.
        let is_same = |change: &Change| change.instructions == instructions && change.file.as_deref() == file;
        let made = conversation.code.clone().filter(|code| code.code_id == whole.code_id && whole.accepted);
        if let Some(made) = made.filter(|code| code.change.as_ref().is_some_and(is_same)) {
            return Writing::begin(self.clone(), conversation, made, within).await;
        }
        let base = conversation.codes().into_iter().find(|code| code.code_id == whole.code_id);
        let Some(base) = base else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "the code that would be changed is gone: write it again",
            ));
        };
        let before = conversation.code.clone();
        let change = (instructions.to_owned(), file.map(str::to_owned));
        let code = conversation.code_for_change(&base, change, || self.client.new_id());
        if before.as_ref() != Some(&code) {
            self.services.save(scope, &conversation, version).await?;
        }
        Writing::begin(self.clone(), conversation, code, within).await
    }

    /// The description as the samples know it, where there is nothing but samples: one that says a part of what the sample's
    /// says gets the sample.
    fn known(&self, data: ServiceData) -> ServiceData {
        let sample = ServiceData::sample();
        if self.client.policy().samples && data.is_part_of(&sample) { sample } else { data }
    }

    /// The files of a written code with their contents.
    pub async fn files(&self, code: &Code) -> Result<Vec<CodeFile>> {
        self.services.files(code).await
    }
}

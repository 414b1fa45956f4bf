//! Scripted responder: follows a script first, so that tests can inject faults.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::fault::Fault;
use crate::local::responder::{Question, Reply, Responder};

/// Plays its steps one question at a time, in order; afterwards another responder answers.
///
/// Requests that the model itself would refuse (its parameters, its end of life) take no step.
#[derive(Debug)]
pub struct Script {
    steps: Mutex<VecDeque<Step>>,
    rest: Arc<dyn Responder>,
}

#[derive(Debug)]
enum Step {
    Reply(Reply),
    Faults(Vec<Fault>),
}

impl Script {
    /// A script without steps before this responder.
    pub fn new(rest: Arc<dyn Responder>) -> Self {
        Script { steps: Mutex::default(), rest }
    }

    /// Next, this reply, this many times.
    pub fn reply(self, times: usize, reply: Reply) -> Self {
        for _ in 0..times {
            self.push(Step::Reply(reply.clone()));
        }
        self
    }

    /// Next, the other responder's answer with these faults; without any, just its answer.
    pub fn faults(self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.push(Step::Faults(faults.into_iter().collect()));
        self
    }

    fn push(&self, step: Step) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push_back(step);
    }
}

#[async_trait::async_trait]
impl Responder for Script {
    async fn answer(&self, question: &Question) -> Reply {
        let step = self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match step {
            Some(Step::Reply(reply)) => reply,
            Some(Step::Faults(faults)) => self.rest.answer(question).await.with_faults(faults),
            None => self.rest.answer(question).await,
        }
    }
}

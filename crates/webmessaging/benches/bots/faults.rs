//! A hundred thousand messages through everything that can go wrong.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::runtime::Runtime;
use webmessaging::bots::{BotsClient, Message, Sender};
use webmessaging::http::clock::{Clock, TokioClock};
use webmessaging::http::testing::SkippingClock;
use webmessaging::http::{BreakerPolicy, Client, Credentials, RateLimitPolicy};
use webmessaging_emulator::{
    Conversation, Emulator, Fault, FaultRule, FaultScript, Organization, RateLimit, Route,
};

const MESSAGES: usize = 100_000;
const CONVERSATIONS: usize = 1_000;

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let organization = (0..CONVERSATIONS)
            .map(|number| Conversation::new(format!("c-{number}")))
            .fold(Organization::empty(), Organization::conversation);
        let builder = Emulator::builder().organization(organization).rate_limit(RateLimit::off());
        let emulator = builder.start().await.unwrap();
        let faults = [
            Fault::drop_before(),
            Fault::drop_after(),
            Fault::status(500),
            Fault::status(429).header("retry-after", "1"),
            Fault::truncate_answer(10),
        ];
        // One in a hundred of each.
        let rule = |fault| FaultRule::new(fault).route(Route::SendMessage).rate(0.01);
        let script = faults.into_iter().map(rule).fold(FaultScript::new(7), FaultScript::rule);
        emulator.set_faults(script).unwrap();
        let roomy =
            RateLimitPolicy::default().requests(100_000).window(Duration::from_millis(100)).burst(100_000);
        // A 429 holds up everybody, and there are a thousand of them.
        let theirs = emulator.clock().clone();
        let clock = SkippingClock::with_hook(move |slept| theirs.advance(slept));
        let client = Client::builder(Credentials::new("demo-client", "demo-secret")).clock(clock);
        let client = client.base_url(emulator.base_url()).rate_limit(roomy).breaker(BreakerPolicy::off());
        let bots = BotsClient::new(client.build().unwrap());
        let sender = Sender::new(bots);

        let began = TokioClock.now();
        let mut tickets = Vec::with_capacity(MESSAGES);
        for number in 0..MESSAGES {
            let conversation = format!("c-{}", number % CONVERSATIONS);
            let message = Message::text("customer-1", "bot-1", number.to_string());
            tickets.push(sender.enqueue(conversation, message).await.unwrap());
        }
        let (mut delivered, mut found) = (0, 0);
        for ticket in tickets {
            let outcome = ticket.await.unwrap();
            delivered += 1;
            found += usize::from(outcome.facts.is_none());
        }
        let took = TokioClock.now() - began;

        let (mut out_of_order, mut twice, mut arrived) = (0, 0, HashSet::new());
        for conversation in 0..CONVERSATIONS {
            let mut last = HashMap::new();
            for message in emulator.messages(&format!("c-{conversation}")) {
                let number: usize = message.body["text"].as_str().unwrap().parse().unwrap();
                let before = last.insert(conversation, number);
                out_of_order += usize::from(before.is_some_and(|before| before >= number));
                twice += usize::from(!arrived.insert(number));
            }
        }
        println!(
            "| messages | requests | delivered | answer lost, found again | out of order | twice | lost | s |"
        );
        println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
        println!(
            "| {MESSAGES} | {} | {delivered} | {found} | {out_of_order} | {twice} | {} | {:.0} |",
            emulator.count(Route::SendMessage),
            MESSAGES - arrived.len(),
            took.as_secs_f64()
        );
    });
}

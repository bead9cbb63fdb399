// Package rules is the rules engine of the local AWS IoT: topic rules select from messages with
// AWS IoT SQL (package sql) and hand the result to actions: to republish it, to append it to a
// file, to post it to a web server. Rules are written in AWS's own JSON and kept in the state
// directory. What a rule asks for and is not here is refused when the rule is made.
//
// The broker shows an Engine each message (Message, Ingest); evaluation happens on a goroutine
// of its own, in the order of arrival, behind a queue with a bound, and web servers are waited
// for on others, so that no rule and no server holds up the broker. Every failure is a line in
// the log, goes to the rule's error action, and is counted.
//
// It is not a message broker and knows no policies: a rule acts as AWS IoT itself, where at
// AWS it would have the permissions of its role.
package rules

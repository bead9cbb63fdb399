// Package sql is AWS IoT SQL, version 2016-03-23, the language of topic rules: a statement is
// parsed once and evaluated for each message; the parts of an action with ${...} in them are
// templates of the same expressions.
//
// The rules of conversion, of Undefined and of each function are those of AWS's "AWS IoT SQL
// reference". Numbers are decimals of 34 digits, not floating point; a number that is only
// passed on keeps the text it came with. What AWS asks other services for (Lambda, DynamoDB,
// Secrets Manager, machine learning, the registry) is refused when the statement is parsed:
// nothing here answers as if it had asked.
//
// It is not a database and keeps no state; it does not know rules, actions or the broker.
// Where the reference is silent or contradicts its own examples, the choice is stated at the
// code that makes it and in docs/cloud-rules.md.
package sql

// Package jobs is AWS IoT Jobs: a job is a document that a fleet of things is to act on, such
// as an update of their program; each thing has an execution of it with a status. Devices ask
// for and report on their executions over MQTT ($aws/things/T/jobs/...) or HTTPS; what an
// operator does is methods of Service, and messages tell of all that changes.
//
// Rollout rates, timeouts, retries and abort criteria are AWS's. State is kept in the store:
// an answer goes out when what it says is safe on disk, and a job whose rollout a crash cut
// short goes on where it was.
//
// It knows no policies: whether a client may publish a request, or make it over HTTPS, is
// decided before it comes here. It has no thing groups, job templates, presigned URLs,
// maintenance windows or signed code; it does not read job documents.
//
// The rules are those of AWS's "Jobs device MQTT API", "Jobs notifications", "How job
// configurations work" and the API reference; choices where these are silent are stated at the
// code that makes them.
package jobs

package awsiot

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/awsiot/jobs"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// TestJobs: a device takes a job by MQTT, hears of the next, and reports; another does so by
// HTTPS.
func TestJobs(t *testing.T) {
	c := newCloud(t, nil)
	must(t, c.store.PutThing(store.Thing{Name: "other"}))
	x, _ := c.connect(0, "thing0", options{})
	x.subscribe(1, "$aws/things/thing0/jobs/notify-next")
	next := func() (execution struct {
		JobID, Status string
		JobDocument   json.RawMessage
	}) {
		t.Helper()
		var m struct {
			Execution any `json:"execution"`
		}
		m.Execution = &execution
		must(t, json.Unmarshal(x.message().Payload, &m))
		return execution
	}
	_, err := c.Jobs().Create(jobs.Config{ID: "ota-1", Document: []byte(`{"url":"x"}`), All: true})
	must(t, err)
	if n := next(); n.JobID != "ota-1" || string(n.JobDocument) != `{"url":"x"}` {
		t.Fatalf("%+v", n)
	}
	// The answer comes without a subscription.
	x.publish("$aws/things/thing0/jobs/start-next", `{"clientToken":"a"}`, 0, false)
	if m := x.message(); m.Topic != "$aws/things/thing0/jobs/start-next/accepted" || !strings.Contains(string(m.Payload), `"status":"IN_PROGRESS"`) {
		t.Fatalf("%s %s", m.Topic, m.Payload)
	}
	x.publish("$aws/things/thing0/jobs/ota-1/update", `{"status":"SUCCEEDED","expectedVersion":1}`, 1, false)
	if m := x.message(); m.Topic != "$aws/things/thing0/jobs/ota-1/update/rejected" || !strings.Contains(string(m.Payload), "VersionMismatch") {
		t.Fatalf("%s %s", m.Topic, m.Payload)
	}
	c.said("job update ota-1 of thing0: VersionMismatch")
	x.publish("$aws/things/thing0/jobs/ota-1/update", `{"status":"SUCCEEDED","expectedVersion":2}`, 0, false)
	seen := map[string]bool{}
	for range 2 { // the answer and the notification, in either order
		seen[x.message().Topic] = true
	}
	if !seen["$aws/things/thing0/jobs/ota-1/update/accepted"] || !seen["$aws/things/thing0/jobs/notify-next"] {
		t.Fatal(seen)
	}

	status, text := c.call("GET", "/things/other/jobs", "")
	c.wants(200, `\{"inProgressJobs":\[\],"queuedJobs":\[\{"jobId":"ota-1",.*\}\]\}`, status, text)
	status, text = c.call("PUT", "/things/other/jobs/$next", `{"statusDetails":{"step":"1"}}`)
	c.wants(200, `\{"execution":\{"jobId":"ota-1","thingName":"other","status":"IN_PROGRESS","statusDetails":\{"step":"1"\},.*"jobDocument":"\{\\"url\\":\\"x\\"\}"\}\}`, status, text)
	status, text = c.call("GET", "/things/other/jobs/ota-1?includeJobDocument=false", "")
	c.wants(200, `\{"execution":\{"jobId":"ota-1".*"executionNumber":1\}\}`, status, text)
	status, text = c.call("POST", "/things/other/jobs/ota-1", `{"status":"FAILED"}`)
	c.wants(200, `\{\}`, status, text)
	for path, want := range map[string]int{"/things/other/jobs/none": 404, "/things/other/jobs/ota-1": 410, "/things/other/jobs/a/b": 404, "/things/a%20b/jobs": 400, "/things/other/what": 404} {
		if status, text = c.call("GET", path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, _ = c.call("PUT", "/things/other/jobs/ota-1", "{}"); status != 405 {
		t.Error(status)
	}
	j, err := c.Jobs().Describe("ota-1")
	must(t, err)
	if j.Status != jobs.Completed || j.Counts[jobs.Succeeded] != 1 || j.Counts[jobs.Failed] != 1 {
		t.Fatalf("%+v", j)
	}

	// iot:* does not stand for the actions of jobs over HTTPS.
	must(t, c.store.PutPolicy(OpenPolicy, []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}`)))
	status, text = c.call("GET", "/things/other/jobs", "")
	c.wants(403, `\{"message":"Forbidden".*`, status, text)
	c.said("iotjobsdata:GetPendingJobExecutions on thing/other: no statement allows it")
}

package awsiot

import (
	"os"
	"path/filepath"
	"testing"
)

func (c *cloud) putRule(name, text string) {
	c.t.Helper()
	_, err := c.Rules().Put(name, []byte(text), true)
	must(c.t, err)
}

// TestTopicRules: rules see what devices publish, by Basic Ingest too, and reach subscribers,
// shadows and files.
func TestTopicRules(t *testing.T) {
	dir := t.TempDir()
	c := newCloud(t, func(c *Config) { c.RuleFiles = dir })
	c.putRule("hot", `{"sql":"SELECT temp, clientid() AS who, topic(2) AS what FROM 'dt/#' WHERE temp > 40","awsIotSqlVersion":"2016-03-23",
		"actions":[{"republish":{"topic":"alarm/${clientid()}","qos":1}},{"file":{"path":"alarms.jsonl"}}]}`)
	c.putRule("shadowed", `{"sql":"SELECT {'reported': {'temp': temp}} AS state","awsIotSqlVersion":"2016-03-23",
		"actions":[{"republish":{"topic":"$$aws/things/${clientid()}/shadow/update"}}]}`)
	c.putRule("delta", `{"sql":"SELECT current.state.reported.temp AS temp, current.version AS v FROM '$aws/things/+/shadow/update/documents'","awsIotSqlVersion":"2016-03-23",
		"actions":[{"republish":{"topic":"seen"}}]}`)
	c.putRule("came", `{"sql":"SELECT clientId, eventType FROM '$aws/events/presence/connected/dev'","awsIotSqlVersion":"2016-03-23","actions":[{"republish":{"topic":"came"}}]}`)

	x, _ := c.connect(0, "watcher", options{})
	x.subscribe(1, "alarm/#", "seen", "came")
	dev, _ := c.connect(0, "dev", options{})
	x.expect(`came {"clientId":"dev","eventType":"connected"}`)
	dev.publish("dt/oven", `{"temp":39}`, 0, false)
	dev.publish("dt/oven", `{"temp":41.50}`, 1, false)
	x.expect(`alarm/dev {"temp":41.50,"who":"dev","what":"oven"}`)
	// Basic Ingest reaches its rule and nobody else.
	dev.publish("$aws/rules/hot/anything/else", `{"temp":99}`, 1, false)
	x.expect(`alarm/dev {"temp":99,"who":"dev","what":"else"}`)
	dev.publish("$aws/rules/shadowed/x", `{"temp":12.0}`, 1, false)
	x.expect(`seen {"temp":12,"v":1}`)
	dev.publish("$aws/rules/nothing/x", `{}`, 1, false)
	c.said(`there is no rule "nothing"`)
	if got, err := os.ReadFile(filepath.Join(dir, "alarms.jsonl")); err != nil || string(got) != `{"temp":41.50,"who":"dev","what":"oven"}`+"\n"+`{"temp":99,"who":"dev","what":"else"}`+"\n" {
		t.Fatalf("%q %v", got, err)
	}
}

// TestWillToShadow: a will on a shadow's topic reaches subscribers and rules, but not the
// shadow.
func TestWillToShadow(t *testing.T) {
	c := newCloud(t, nil)
	c.putRule("wills", `{"sql":"SELECT state FROM '$aws/things/+/shadow/update'","awsIotSqlVersion":"2016-03-23","actions":[{"republish":{"topic":"rule/saw"}}]}`)
	x, _ := c.connect(0, "watcher", options{})
	x.subscribe(1, "rule/saw")
	dying, _ := c.connect(0, "dying", options{will: &Message{Topic: "$aws/things/thing0/shadow/update", Payload: []byte(`{"state":{"reported":{"on":false}}}`)}})
	dying.conn.Close()
	x.expect(`rule/saw {"state":{"reported":{"on":false}}}`)
	if doc, err := c.Shadow("thing0"); err == nil {
		t.Fatalf("the will made a shadow: %s", doc)
	}
}

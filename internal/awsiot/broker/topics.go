package broker

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkTopic says which rule a topic to publish to breaks, "" for none.
func (l *Limits) checkTopic(topic string) string {
	switch {
	case topic == "":
		return "the topic is empty"
	case strings.ContainsAny(topic, "+#"):
		return fmt.Sprintf("topic %q has a wildcard", topic)
	case !isText(topic): // of HTTPS and of rules: MQTT's own has been looked at
		return fmt.Sprintf("topic %q is not UTF-8 text", topic)
	}
	return l.checkLength("topic", topic)
}

// checkFilter says which rule a topic filter breaks, "" for none.
func (l *Limits) checkFilter(filter string) string {
	group, rest := splitShare(filter)
	switch {
	case filter == "":
		return "the topic filter is empty"
	case strings.HasPrefix(filter, "$share/") && (group == "" || rest == "" || strings.ContainsAny(group, "+#")):
		return fmt.Sprintf("topic filter %q: a shared subscription is $share/GROUP/FILTER", filter)
	}
	filter = rest
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if level != "+" && level != "#" && strings.ContainsAny(level, "+#") {
			return fmt.Sprintf("topic filter %q has a wildcard that is not a whole level", filter)
		}
		if level == "#" && i != len(levels)-1 {
			return fmt.Sprintf("topic filter %q has a # that is not its last level", filter)
		}
	}
	switch {
	case strings.HasPrefix(filter, "$aws/rules"):
		return fmt.Sprintf("topic filter %q: Basic Ingest topics cannot be subscribed to", filter)
	case filter[0] == '$' && !strings.HasPrefix(filter, "$aws/"):
		return fmt.Sprintf("topic filter %q: topics that begin with $ are reserved", filter)
	}
	return l.checkLength("topic filter", filter)
}

func (l *Limits) checkLength(what, topic string) string {
	counted := topic
	if _, rest, ok := basicIngest(topic); ok {
		counted = rest
	}
	if len(counted) > l.Topic {
		return fmt.Sprintf("the %s has %d bytes, the limit is %d", what, len(counted), l.Topic)
	}
	if n := strings.Count(counted, "/"); n > l.TopicSlashes {
		return fmt.Sprintf("%s %q has %d slashes, the limit is %d", what, topic, n, l.TopicSlashes)
	}
	return ""
}

// basicIngest splits a Basic Ingest topic, $aws/rules/RULE/TOPIC.
func basicIngest(topic string) (rule, rest string, ok bool) {
	rest, ok = strings.CutPrefix(topic, "$aws/rules/")
	if !ok {
		return "", "", false
	}
	rule, rest, _ = strings.Cut(rest, "/")
	return rule, rest, rule != ""
}

// isText says whether MQTT can carry s as text: a client that is sent anything else has to close
// its connection.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

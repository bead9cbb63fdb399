package sql

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// testEnv is an environment without anything accidental.
func testEnv() *Env {
	return &Env{
		Now:     func() time.Time { return time.UnixMilli(1481825251155) },
		Rand:    rand.NewChaCha8([32]byte{1}),
		Account: "123456789012",
		Shadow: func(thing, name string) ([]byte, error) {
			switch {
			case thing == "MyThing" && name == "":
				return []byte(`{"state":{"reported":{"alarm":"ON"}},"version":3}`), nil
			case thing == "MyThing" && name == "S":
				return []byte(`{"state":{"desired":{"n":12345678901234567890}}}`), nil
			case thing == "broken":
				return nil, errors.New("the disk is on fire")
			}
			return nil, nil
		},
	}
}

func testMessage(payload string) *Message {
	return &Message{Topic: "things/myThings/thingOne", Payload: []byte(payload), ClientID: "c1", Principal: "abcd", SourceIP: "10.0.0.1", TraceID: "t-1",
		Property: Properties{ContentType: "text/plain", ResponseTopic: "r/t", CorrelationData: []byte{1, 2}, User: [][2]string{{"a", "1"}, {"b", "2"}, {"a", "3"}}}}
}

// show evaluates one expression: its JSON, "undefined", or the error.
func show(expr, payload string) string {
	s, err := Parse("SELECT " + expr + " AS x FROM 't'")
	if err != nil {
		return "error: " + err.Error()
	}
	out, _, err := s.Select(NewInput(testEnv(), testMessage(payload)))
	if err != nil {
		return "error: " + err.Error()
	}
	text := strings.TrimSuffix(strings.TrimPrefix(string(out.Payload), `{"x":`), "}")
	if string(out.Payload) == "{}" {
		return "undefined"
	}
	return text
}

// TestReference is AWS's SQL reference, example by example and table by table.
func TestReference(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		// functions, in the reference's order
		{`abs(-5)`, `5`}, {`abs("-5.123")`, `5.123`}, {`abs(true)`, `undefined`}, {`abs([1])`, `undefined`}, {`abs(null)`, `undefined`}, {`abs("x")`, `undefined`},
		{`accountid()`, `"123456789012"`}, {`acos(0)`, `1.5707963267948966`}, {`acos(2)`, `undefined`}, {`asin(0)`, `0.0`}, {`asin("x")`, `undefined`},
		{`atan(0)`, `0.0`}, {`atan2(1, 0)`, `1.5707963267948966`}, {`atan2("1", 0)`, `1.5707963267948966`}, {`atan2(true, 0)`, `undefined`},
		{`bitand(13, 5)`, `5`}, {`bitand(13.9, "5.9")`, `5`}, {`bitand(1, true)`, `undefined`}, {`bitor(8, 5)`, `13`}, {`bitxor(13, 5)`, `8`}, {`bitnot(13)`, `2`}, {`bitnot(-1)`, `0`}, {`bitnot(true)`, `true`},
		{`cast(true as Int)`, `1`}, {`cast(false as Decimal)`, `0`}, {`cast("12.9" as Integer)`, `12`}, {`cast(-1.5 as int)`, `-2`}, {`cast(0 as bool)`, `false`}, {`cast(0.1 as boolean)`, `true`},
		{`cast("TRUE" as Boolean)`, `true`}, {`cast("x" as Boolean)`, `undefined`}, {`cast([1,"a"] as text)`, `"[1,\"a\"]"`}, {`cast(12 as varchar)`, `"12"`}, {`cast(null as String)`, `undefined`}, {`cast([1] as Int)`, `undefined`},
		{`cast("10.0" as Decimal)`, `10`}, {`cast("10.5" as Double)`, `10.5`}, {`cast(null as decimal)`, `undefined`},
		{`ceil(1.2)`, `2`}, {`ceil(-1.2)`, `-1`}, {`ceil("1.2")`, `2`}, {`ceil(true)`, `undefined`}, {`chr(65)`, `"A"`}, {`chr(49.9)`, `"1"`}, {`chr("65")`, `"A"`}, {`chr(128)`, `undefined`}, {`chr(-1)`, `undefined`},
		{`clientid()`, `"c1"`}, {`concat()`, `undefined`}, {`concat(1)`, `1`}, {`concat([1, 2, 3], 4)`, `[1,2,3,4]`}, {`concat([1, 2, 3], "hello")`, `[1,2,3,"hello"]`}, {`concat("con", "cat")`, `"concat"`},
		{`concat(1, "hello")`, `"1hello"`}, {`concat("he","is","man")`, `"heisman"`}, {`concat([1, 2, 3], "hello", [4, 5, 6])`, `[1,2,3,"hello",4,5,6]`}, {`concat(1, 2)`, `undefined`}, {`concat("a", null)`, `undefined`},
		{`cos(0)`, `1.0`}, {`cosh(2.3)`, `5.037220649268761`}, {`decode("eyAidGVtcGVyYXR1cmUiOiAzMyB9Cg==","base64").temperature`, `33`}, {`decode("aGk=", 'base64')`, `"hi"`}, {`decode("*", 'base64')`, `null`}, {`decode("/w==", 'base64')`, `null`},
		{`encode("hi", 'base64')`, `"aGk="`}, {`encode(*, 'base64')`, `"eyJhIjoxfQ=="`}, {`encode(12, 'base64')`, `"MTI="`}, {`endswith("cat","at")`, `true`}, {`endswith("cat",null)`, `undefined`}, {`endswith(124, 24)`, `true`},
		{`exp(1)`, `2.718281828459045`}, {`floor(1.2)`, `1`}, {`floor(-1.2)`, `-2`}, {`floor([1,2,3])`, `undefined`},
		{`get(["a", "b", "c"], 1)`, `"b"`}, {`get({"a":"b"}, "a")`, `"b"`}, {`get("abc", 1)`, `"b"`}, {`get("abc", 3)`, `undefined`}, {`get([1], -1)`, `undefined`}, {`get([1], "0")`, `1`}, {`get({"1":2}, 1)`, `undefined`}, {`get(5, 0)`, `undefined`},
		{`get_or_default(nothing, 5)`, `5`}, {`get_or_default(a, 5)`, `1`},
		{`md2("hello")`, `"a9046c73e00331af68917d3804f70655"`}, {`md5("hello")`, `"5d41402abc4b2a76b9719d911017c592"`}, {`sha1("hello")`, `"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"`},
		{`sha256("")`, `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`}, {`length(sha224("x"))`, `56`}, {`length(sha384("x"))`, `96`}, {`length(sha512("x"))`, `128`}, {`md5(null)`, `undefined`}, {`md5(1) = md5("1")`, `true`},
		{`indexof("abcd", "bc")`, `1`}, {`indexof("abcd", "x")`, `-1`}, {`isNull(5)`, `false`}, {`isNull(Null)`, `true`}, {`isNull(nothing)`, `false`}, {`isUndefined(5)`, `false`}, {`isUndefined(floor([1,2,3]))`, `true`}, {`isUndefined(null)`, `false`},
		{`length("hi")`, `2`}, {`length(false)`, `5`}, {`length("€")`, `1`}, {`ln(1)`, `0.0`}, {`ln(0)`, `undefined`}, {`ln(-1)`, `undefined`}, {`log(100)`, `2.0`}, {`lower("HELLO")`, `"hello"`}, {`lower(["HELLO"])`, `"[\"hello\"]"`},
		{`lpad("hello", 2)`, `"  hello"`}, {`lpad(1, 3)`, `"   1"`}, {`length(lpad("", 5000))`, `1000`}, {`lpad("a", -1)`, `"a"`}, {`lpad("a", "1.9")`, `" a"`}, {`lpad("a", true)`, `undefined`}, {`Ltrim(" h i ")`, `"h i "`},
		{`mod(8, 3)`, `2`}, {`mod(-8, 3)`, `-2`}, {`mod(8.5, 3)`, `2.5`}, {`mod("8", 3)`, `2`}, {`mod(8, 0)`, `undefined`}, {`Nanvl(8, 3)`, `8`}, {`nanvl(null, 3)`, `3`}, {`nanvl(nothing, 3)`, `3`}, {`nanvl("x", 3)`, `"x"`},
		{`length(newuuid())`, `36`}, {`get(newuuid(), 14)`, `"4"`}, {`numbytes("hi")`, `2`}, {`numbytes("€")`, `3`},
		{`parse_time("yyyy.MM.dd G 'at' HH:mm:ss z", 100000000, 'America/Belize' )`, `"1970.01.01 AD at 21:46:40 CST"`}, {`parse_time("yyyy.MM.dd G 'at' HH:mm:ss z", timestamp())`, `"2016.12.15 AD at 18:07:31 UTC"`},
		{`parse_time('yyyy', timestamp(), 'UTC')`, `"2016"`}, {`parse_time("yy-M-d h:mm:ss.SSS a EEE EEEE MMM MMMM D w e x K k Z ZZ ZZZ ''", 1481825251155, "+01:30")`, `"16-12-15 7:37:31.155 PM Thu Thursday Dec December 350 50 4 2016 7 19 +0130 +01:30 +01:30 '"`},
		{`parse_time("yyyy", 1, "Nowhere/City")`, `undefined`}, {`parse_time("q", 1)`, `error: parse_time(): "q" is not available locally in a pattern`},
		{`power(2, 5)`, `32.0`}, {`power(-8, 0.5)`, `undefined`}, {`power("2", "10")`, `1024.0`}, {`principal()`, `"abcd"`}, {`rand() < 1 AND rand() >= 0`, `true`}, {`rand() = rand()`, `false`},
		{`regexp_matches("aaaa", "a{2,}")`, `true`}, {`regexp_matches("aaaa", "b")`, `false`}, {`regexp_matches("a", "(")`, `undefined`}, {`regexp_matches(12, "^\d+$")`, `true`}, {`regexp_matches(null, "a")`, `undefined`},
		{`regexp_replace("abcd", "bc", "x")`, `"axd"`}, {`regexp_replace("abcd", "b(.*)d", "$1")`, `"ac"`}, {`regexp_replace("a.b.c", "\.", "\$")`, `"a$b$c"`}, {`regexp_replace("abcd", "b", "$3")`, `undefined`}, {`regexp_replace("aa", "a", "x$")`, `undefined`},
		{`regexp_substr("hihihello", "hi")`, `"hi"`}, {`regexp_substr("hihihello", "(hi)*")`, `"hihi"`}, {`regexp_substr("x", "y")`, `undefined`},
		{`remainder(8, 3)`, `2`}, {`replace("abcd", "bc", "x")`, `"axd"`}, {`replace("abcdabcd", "b", "x")`, `"axcdaxcd"`}, {`replace(1.5, ".", ",")`, `"1,5"`}, {`rpad("hello", 2)`, `"hello  "`}, {`rpad(1, 3)`, `"1   "`},
		{`Round(1.2)`, `1`}, {`Round(1.5)`, `2`}, {`Round(1.7)`, `2`}, {`Round(-1.1)`, `-1`}, {`Round(-1.5)`, `-2`}, {`rtrim(" h i ")`, `" h i"`}, {`sign(-7)`, `-1`}, {`sign(0)`, `0`}, {`sign("13")`, `1`}, {`sign(true)`, `undefined`},
		{`sin(0)`, `0.0`}, {`sinh(2.3)`, `4.936961805545957`}, {`sourceip()`, `"10.0.0.1"`}, {`sql_version()`, `"2016-03-23"`}, {`sqrt(9)`, `3.0`}, {`sqrt(-1)`, `undefined`}, {`startswith("ranger","ran")`, `true`}, {`startswith(nothing,"ran")`, `undefined`},
		{`substring("012345", 0)`, `"012345"`}, {`substring("012345", 2)`, `"2345"`}, {`substring("012345", 2.745)`, `"2345"`}, {`substring(123, 2)`, `"3"`}, {`substring("012345", -1)`, `"012345"`}, {`substring(true, 1.2)`, `"rue"`},
		{`substring(false, -2.411E247)`, `"false"`}, {`substring("012345", 1, 3)`, `"12"`}, {`substring("012345", -50, 50)`, `"012345"`}, {`substring("012345", 3, 1)`, `""`}, {`substring("012345", 3, 1E300)`, `"345"`}, {`substring("a", "x")`, `undefined`},
		{`tan(3)`, `-0.1425465430742778`}, {`tanh(2.3)`, `0.9800963962661914`},
		{`time_to_epoch("2020-04-03 09:45:18 UTC+01:00", "yyyy-MM-dd HH:mm:ss VV")`, `1585903518000`}, {`time_to_epoch("18 December 2015", "dd MMMM yyyy")`, `1450396800000`},
		{`time_to_epoch("2007-12-03 10:15:30.592 America/Los_Angeles", "yyyy-MM-dd HH:mm:ss.SSS z")`, `1196705730592`}, {`time_to_epoch("20200403T094518Z", "yyyyMMdd'T'HHmmssX")`, `1585907118000`},
		{`time_to_epoch("3 Apr 2020 9:45 PM +02", "d MMM yyyy h:mm a x")`, `1585943100000`}, {`time_to_epoch("x", "yyyy")`, `undefined`}, {`time_to_epoch("2020-02-30", "yyyy-MM-dd")`, `undefined`}, {`time_to_epoch("2020", "yyyy[MM]")`, `error: time_to_epoch(): "[" is not available locally in a pattern`},
		{`timestamp()`, `1481825251155`}, {`topic()`, `"things/myThings/thingOne"`}, {`topic(1)`, `"things"`}, {`topic(4)`, `undefined`}, {`topic(0)`, `undefined`}, {`traceid()`, `"t-1"`},
		{`transform("enrichArray", {"key": a}, [{"b":2},{"c":3}])`, `[{"b":2,"key":1},{"c":3,"key":1}]`}, {`transform("other", {}, [])`, `undefined`}, {`Trim(" hi ")`, `"hi"`},
		{`trunc(2.3, 0)`, `2`}, {`trunc(2.3123, 2)`, `2.31`}, {`trunc(2.888, 2)`, `2.88`}, {`trunc(2.00, 5)`, `2`}, {`trunc(-2.999, 1)`, `-2.9`}, {`trunc(2.300, 2)`, `2.3`}, {`trunc(2.3, -5)`, `2`}, {`trunc("2.35", 1)`, `2.3`}, {`trunc(2.3, "1")`, `undefined`},
		{`upper("hello")`, `"HELLO"`}, {`upper(["hello"])`, `"[\"HELLO\"]"`},
		{`get_thing_shadow("MyThing", "role").state.reported.alarm`, `"ON"`}, {`get_thing_shadow("MyThing", "S", "role").state.desired.n`, `12345678901234567890`}, {`get_thing_shadow("Other", "role")`, `undefined`}, {`get_thing_shadow("broken", "role")`, `error: get_thing_shadow(): the disk is on fire`},
		{`get_mqtt_property("content_type")`, `"text/plain"`}, {`get_mqtt_property("correlation_data")`, `"AQI="`}, {`get_mqtt_property("format_indicator")`, `undefined`}, {`get_user_properties("a")`, `["1","3"]`}, {`get_user_properties()`, `[{"a":"1"},{"b":"2"},{"a":"3"}]`}, {`get_user_properties("z")`, `undefined`},

		// operators
		{`true AND "TRUE"`, `true`}, {`true and false`, `false`}, {`false AND 1`, `undefined`}, {`true OR nothing`, `undefined`}, {`false OR "true"`, `true`}, {`NOT true`, `false`}, {`not "False"`, `true`}, {`NOT 1`, `undefined`}, {`NOT NOT true`, `true`},
		{`2 > 1`, `true`}, {`"10" > 9`, `true`}, {`"x" > 9`, `undefined`}, {`true > 1`, `undefined`}, {`null > 1`, `undefined`}, {`1 >= 1.0`, `true`}, {`1 < 2`, `true`}, {`1 <= "0.5"`, `false`}, {`1E3 > 999`, `true`},
		{`1 = 1.0`, `true`}, {`1 = "1"`, `false`}, {`"a" = 'a'`, `true`}, {`[1,2] = [1,2]`, `true`}, {`[1,2] = [2,1]`, `false`}, {`{"a":1,"b":2} = {"b":2,"a":1}`, `true`}, {`null = null`, `true`}, {`nothing = 1`, `undefined`}, {`true = true`, `true`}, {`1 = true`, `false`},
		{`1 <> 2`, `true`}, {`"a" <> 1`, `true`}, {`null <> null`, `false`}, {`nothing <> nothing`, `undefined`}, {`[1] <> [2]`, `true`},
		{`1 + 2`, `3`}, {`1 + 2.5`, `3.5`}, {`"a" + 1`, `"a1"`}, {`1 + "a"`, `"1a"`}, {`"a" + [1,"b"]`, `"a[1,\"b\"]"`}, {`"a" + null`, `undefined`}, {`true + 1`, `undefined`}, {`"a" + true`, `"atrue"`}, {`"1" + "2"`, `"12"`},
		{`5 - 3`, `2`}, {`"5.5" - 3`, `2.5`}, {`"x" - 3`, `undefined`}, {`3 * 4`, `12`}, {`1.5 * 2`, `3.0`}, {`"3" * "4"`, `12`}, {`7 / 2`, `3`}, {`-7 / 2`, `-3`}, {`7 / 2.5`, `2.8`}, {`"7" / 2`, `3.5`}, {`1 / 0`, `undefined`}, {`1 / 0.5`, `2`}, {`7 % 3`, `1`}, {`7.5 % 2`, `1.5`}, {`7 % 0`, `undefined`},
		{`"1" / 3`, `0.3333333333333333333333333333333333`}, {`"2" / 3`, `0.6666666666666666666666666666666667`}, {`0.1 + 0.2`, `0.3`}, {`1 + 2 * 3 - 4 / 2`, `5`}, {`(1 + 2) * 3`, `9`}, {`-(1 + 2)`, `-3`}, {`- -3`, `3`}, {`2 - -3`, `5`},
		{`1 + 1 = 2 AND NOT 1 = 2 OR false`, `true`}, {`9007199254740993 + 1`, `9007199254740994`}, {`9223372036854775807 + 1`, `9223372036854775808`}, {`99999999999999999999 * 99999999999999999999`, `9999999999999999999800000000000000000000`},
		{`1E999 * 10`, `undefined`}, {`1.5E-10 * 1`, `1.5E-10`}, {`"+5" * 1`, `undefined`}, {`"1e5" * 1`, `1E+5`}, {`"1e+5" * 1`, `undefined`}, {`".5" * 1`, `undefined`}, {`10.0`, `10`}, {`"5E-12" > 0`, `true`},

		// case, literals, names
		{`CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END`, `"one"`}, {`CASE a WHEN 2 THEN 'two' ELSE 'many' END`, `"many"`}, {`CASE a WHEN 2 THEN 'two' END`, `undefined`}, {`CASE nothing WHEN 2 THEN 'two' ELSE 'many' END`, `undefined`},
		{`{'latitude': get([47.606,-122.332], 0),'longitude':get([47.606,-122.332], 1)}`, `{"latitude":47.606,"longitude":-122.332}`}, {`[a, nothing, null]`, `[1,null]`}, {`{"x": nothing}`, `{}`}, {`NULL`, `null`}, {`'it''s'`, `"it's"`}, {`"say ""hi"""`, `"say \"hi\""`}, {`"a\"b\\d\d"`, `"a\"b\\d\\d"`},
		{`a`, `1`}, {`A`, `undefined`}, {`a.b`, `undefined`}, {`get({"my-key":{"0":7}}, "my-key")`, `{"0":7}`},
	} {
		if got := show(tt.expr, `{"a":1}`); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.expr, got, tt.want)
		}
	}
}

// TestSelect is whole statements, AWS's examples first.
func TestSelect(t *testing.T) {
	const sensors = `{"e":[{"n":"temperature","u":"Cel","t":1234,"v":22.5},{"n":"light","u":"lm","t":1235,"v":135},{"n":"acidity","u":"pH","t":1235,"v":7}]}`
	const nested = `{"data1":"example","data2":{"a":"first","b":"second","c":[{"x":{"i":5},"y":true},{"x":{"i":10},"y":false}]}}`
	const color = `{"color":"red", "temperature":50}`
	for _, tt := range []struct{ sql, payload, want string }{
		{`SELECT * FROM 'topic/subtopic'`, color, color},
		{`SELECT color FROM 'topic/subtopic'`, color, `{"color":"red"}`},
		{`SELECT color AS my_color FROM 'topic/subtopic'`, color, `{"my_color":"red"}`},
		{`SELECT color as my_color, temperature as fahrenheit FROM 'topic/subtopic'`, color, `{"my_color":"red","fahrenheit":50}`},
		{`SELECT *, 15 as speed FROM 'topic/subtopic'`, color, `{"color":"red","temperature":50,"speed":15}`},
		{`SELECT *, 15 as temperature FROM 'topic/subtopic'`, color, `{"color":"red","temperature":15}`},
		{`SELECT VALUE color FROM 'topic/subtopic'`, color, `"red"`},
		{`SELECT VALUE [color, temperature] FROM 't'`, color, `["red",50]`},
		{`SELECT VALUE * FROM 't'`, color, color},
		{`SELECT VALUE nothing FROM 't'`, color, `none`},
		{`SELECT color.red as red_value FROM 't'`, `{"color":{"red":255,"green":0,"blue":0}, "temperature":50}`, `{"red_value":255}`},
		{`SELECT color.red FROM 't'`, `{"color":{"red":255}}`, `{"red":255}`},
		{`SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) as my_color FROM 't'`, color, `{"celsius":10,"my_color":"RED"}`},
		{`SELECT color AS my_color FROM 't' WHERE temperature > 50 AND color <> 'red'`, `{"color":"red", "temperature":40}`, `none`},
		{`SELECT decode(encode(*, 'base64'), 'base64') AS value FROM 't' WHERE decode(encode(*, 'base64'), 'base64') > 50`, `80`, `{"value":80}`},
		{`SELECT temp, md5(deviceid) AS hashed_id FROM 'topic/#'`, `{"deviceid":"iot123","temp":54.98,"humidity":32.43}`, `{"temp":54.98,"hashed_id":"e37f81fb397e595c4aeb5645b8cbbbd1"}`},
		{`SELECT foo.bar AS bar.baz FROM 't'`, `{"foo":{"bar":"RED"}}`, `{"bar":{"baz":"RED"}}`},
		{`SELECT 1 AS a.b, 2 AS a.c FROM 't'`, ``, `{"a":{"b":1,"c":2}}`},
		{`SELECT * from 'iot/rules' WHERE get(get(get(mydata,"item2"),"0"),"my-key") = "myValue"`, `{"mydata":{"item2":{"0":{"my-key":"myValue"}}}}`, `{"mydata":{"item2":{"0":{"my-key":"myValue"}}}}`},
		{`SELECT (SELECT VALUE n FROM e) as sensors FROM 'my/topic'`, sensors, `{"sensors":["temperature","light","acidity"]}`},
		{`SELECT (SELECT v FROM e WHERE n = 'temperature') as temperature FROM 'my/topic'`, sensors, `{"temperature":[{"v":22.5}]}`},
		{`SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as temperature FROM 'topic'`, sensors, `{"temperature":22.5}`},
		{`SELECT (SELECT * FROM e WHERE v > 100) AS big FROM 't'`, sensors, `{"big":[{"n":"light","u":"lm","t":1235,"v":135}]}`},
		{`select value transform('enrichArray', (select a, b from data2), (select value c from data2)) from 'A/B'`, nested, `[{"x":{"i":5},"y":true,"a":"first","b":"second"},{"x":{"i":10},"y":false,"a":"first","b":"second"}]`},
		{`select value transform("enrichArray", {"key": data2.a}, data2.c) from 'A/B'`, nested, `[{"x":{"i":5},"y":true,"key":"first"},{"x":{"i":10},"y":false,"key":"first"}]`},
		{`SELECT CASE color WHEN 'green' THEN 'go' WHEN 'yellow' THEN 'caution' ELSE 'no light' END as instructions FROM 't'`, `{"color":"yellow"}`, `{"instructions":"caution"}`},
		{`SELECT NULL AS n FROM 't'`, ``, `{"n":null}`},
		{`SELECT foo, bar FROM 't'`, `{"foo":null}`, `{"foo":null}`},
		{`SELECT topic(2), timestamp() FROM 't'`, ``, `{"topic(2)":"myThings","timestamp()":1481825251155}`},
		// numbers are kept
		{`SELECT big, small, ten FROM 't'`, `{"big":123456789012345678901234567890123456789012,"small":0.10000000000000000000000000000000000000001,"ten":10.0}`, `{"big":123456789012345678901234567890123456789012,"small":0.10000000000000000000000000000000000000001,"ten":10}`},
		{`SELECT a + 0 AS a, b + 0 AS b, c AS c, c + 0 AS d FROM 't'`, `{"a":0.1,"b":18446744073709551617,"c":1e2000}`, `{"a":0.1,"b":18446744073709551617,"c":1e2000}`},
		// payloads that are no JSON objects
		{`SELECT * FROM 't'`, "\xff\x00raw", "raw:\xff\x00raw"},
		{`SELECT encode(*, 'base64') AS data, timestamp() AS ts FROM 't'`, "\xff", `{"data":"/w==","ts":1481825251155}`},
		{`SELECT *, 1 AS one FROM 't'`, ``, `{"one":1}`},
		{`SELECT *, 1 AS one FROM 't'`, "\xff", `error`},
		{`SELECT *, 1 AS one FROM 't'`, `[1]`, `error`},
		{`SELECT a FROM 't'`, "\xff", `{}`},
		{`SELECT * FROM 't' WHERE device_type = 'thermostat'`, "\xff", `none`},
		{`SELECT a FROM 't'`, `{"a":1,"a":2}`, `{"a":2}`},
		{`SELECT "k\u00e9y" AS "a b", s FROM 't'`, `{"s":"\ud83d\ude00\u0001\/"}`, `{"a b":"kéy","s":"😀\u0001/"}`},
		{`SELECT a`, `{"a":1}`, `{"a":1}`},
	} {
		s, err := Parse(tt.sql)
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		out, ok, err := s.Select(NewInput(testEnv(), testMessage(tt.payload)))
		got := string(out.Payload)
		switch {
		case err != nil:
			got = "error"
		case !ok:
			got = "none"
		case !out.JSON:
			got = "raw:" + got
		}
		if got != tt.want {
			t.Errorf("%s on %s\n got %s\nwant %s (%v)", tt.sql, tt.payload, got, tt.want, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{``, "select is expected here, not the end"},
		{`SELECT`, "an expression is expected here, not the end"},
		{`SELECT * FROM topic/#`, "a topic filter in quotes is expected after FROM"},
		{`SELECT * FROM ''`, "the topic filter is empty"},
		{`SELECT a,, b FROM 't'`, "an expression is expected here, not ,"},
		{`SELECT a b FROM 't'`, "the statement should end here"},
		{`SELECT a FROM 't' WHERE`, "an expression is expected here, not the end"},
		{`SELECT a FROM 't';`, "a statement ends without ;"},
		{`SELECT a FROM 't' WHERE a == 1`, "= is how AWS IoT SQL writes it"},
		{`SELECT a FROM 't' WHERE a != 1`, "<> is how AWS IoT SQL writes it"},
		{`SELECT a[0] FROM 't'`, "get(array, index)"},
		{`SELECT a.0 FROM 't'`, ""},
		{`SELECT my-key.x-1y FROM 't'`, "neither a number nor a name"},
		{`SELECT nosuch(1) FROM 't'`, "there is no function nosuch()"},
		{`SELECT aws_lambda('arn', *) FROM 't'`, "aws_lambda() is not available locally"},
		{`SELECT get_dynamodb('t','k','v','r') FROM 't'`, "get_dynamodb() is not available locally"},
		{`SELECT get_secret('t','k','r') FROM 't'`, "not available locally"},
		{`SELECT machinelearning_predict('t','k','r') FROM 't'`, "not available locally"},
		{`SET @a = 1 SELECT @a FROM 't'`, "SET is not available locally"},
		{`SELECT abs() FROM 't'`, "abs() takes 1 argument"},
		{`SELECT topic(1,2) FROM 't'`, "topic() takes 0 to 1 arguments"},
		{`SELECT cast(1 as Date) FROM 't'`, "cast() goes to"},
		{`SELECT decode(a, 'proto', 'x') FROM 't'`, "decode() takes 2 arguments"},
		{`SELECT encode(a, 'hex') FROM 't'`, `the scheme "hex" is not available locally`},
		{`SELECT upper(*) FROM 't'`, "* stands by itself"},
		{`SELECT regexp_matches(a, "(?=x)") FROM 't'`, "is not available locally"},
		{`SELECT regexp_matches(a, "(a)\\1") FROM 't'`, "is not available locally"},
		{`SELECT 'a FROM 't'`, ""},
		{`SELECT "a`, "not closed"},
		{`SELECT *, * FROM 't'`, "there is one * already"},
		{`SELECT VALUE a, b FROM 't'`, "SELECT VALUE takes one expression"},
		{`SELECT CASE WHEN a THEN b END FROM 't'`, "CASE needs a value"},
		{`SELECT CASE a END FROM 't'`, "CASE needs a WHEN"},
		{`SELECT (SELECT a) FROM 't'`, "from is expected"},
		{`SELECT 1E9999 FROM 't'`, "out of range"},
		{`SELECT a FROM 't' WHERE ` + strings.Repeat("(", 100) + "1", "levels of nesting"},
		{`SELECT a FROM 't' WHERE ` + strings.Repeat("NOT ", 100000) + "1", "levels of nesting"},
		{`SELECT ` + strings.Repeat("-", 100000) + "1 FROM 't'", "levels of nesting"},
		{"SELECT a \x01", "is none of the language"},
	} {
		_, err := Parse(tt.sql)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80s: %v, want %s", tt.sql, err, tt.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain", "plain"},
		{"", ""},
		{"${topic()}/republish", "things/myThings/thingOne/republish"},
		{"$aws/things/${topic(3)}/shadow/update", "$aws/things/thingOne/shadow/update"},
		{"${a}-${nothing}-${null}-${b.c}-${get({'x':'}'}, 'x')}", "1---[1,\"x\"]-}"},
		{"a$b}{$", "a$b}{$"},
		{"${replace(topic(), '/', '-') + '-' + timestamp()}", "things-myThings-thingOne-1481825251155"},
		{"${", "error"}, {"${}", "error"}, {"${a", "error"}, {"${a b}", "error"}, {"${aws_lambda('x',a)}", "error"},
	} {
		got := "error"
		if tmpl, err := ParseTemplate(tt.text); err == nil {
			if got, err = tmpl.Expand(NewInput(testEnv(), testMessage(`{"a":1,"b":{"c":[1,"x"]}}`))); err != nil {
				got = err.Error()
			}
			if tmpl.Fixed() != !strings.Contains(tt.text, "${") || tmpl.String() != tt.text || !strings.HasPrefix(tt.text, tmpl.Prefix()) {
				t.Errorf("%s: fixed %v, prefix %q", tt.text, tmpl.Fixed(), tmpl.Prefix())
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestBounds: statements that grow a payload end with an error, soon.
func TestBounds(t *testing.T) {
	long := strings.Repeat("a", 120<<10)
	grow := "s"
	for range 20 {
		grow = "replace(" + grow + ", 'a', 'aaaaaaaaaa')"
	}
	concat := "e"
	for range 20 {
		concat = "concat(" + concat + "," + concat + ")"
		if len(concat) > 1<<14 {
			break
		}
	}
	product := "e"
	for range 6 {
		product = "(SELECT VALUE " + strings.ReplaceAll("[x,x,x,x,x,x,x,x]", "x", "(SELECT VALUE n FROM e)") + " FROM " + product + ")"
	}
	elements := strings.TrimSuffix(strings.Repeat(`{"n":1,"e":[1,2,3]},`, 5000), ",")
	for _, expr := range []string{grow, concat, product + " + ''"} {
		s, err := Parse("SELECT " + expr + " AS x FROM 't'")
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := s.Select(NewInput(testEnv(), testMessage(`{"s":"`+long+`","e":[`+elements+`]}`)))
		if err == nil && len(out.Payload) > maxOutput {
			t.Errorf("%.60s gave %d bytes", expr, len(out.Payload))
		}
	}
	if got := show(grow, `{"s":"`+long+`"}`); !strings.Contains(got, "the limit is") {
		t.Errorf("grew to %.80s", got)
	}
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	if got := show("a", `{"a":`+deep+`}`); got != "undefined" {
		t.Errorf("deep payload: %s", got)
	}
	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	if got := show("k4999", "{"+strings.Join(many, ",")+"}"); got != "4999" {
		t.Errorf("of many members: %s", got)
	}
}

func FuzzStatement(f *testing.F) {
	f.Add(`SELECT *, 1 AS a.b FROM 't' WHERE a > 1.5E3 AND NOT b = 'x'`, `{"a":1,"b":[{"c":1e5}]}`)
	f.Add(`SELECT (SELECT VALUE c FROM b WHERE c > 1) AS x, regexp_replace(d, "(.)", "$1$1") FROM 't'`, `{"b":[{"c":2}],"d":"xyz"}`)
	f.Add(`SELECT VALUE CASE a WHEN 1 THEN {"x":[1,-2]} ELSE cast(a as Int) / 3 END`, `{"a":1}`)
	f.Add(`SELECT parse_time("yyyy MMM z", a, "Asia/Tokyo"), time_to_epoch(b, "yyyy-MM-dd")`, `{"a":1e12,"b":"2020-01-02"}`)
	f.Add(`SELECT power(a, b) + ln(a) * 1E-300 % c, trunc(a, 3), bitnot(a), chr(b)`, `{"a":-1e-900,"b":1e300,"c":0}`)
	f.Fuzz(func(t *testing.T, text, payload string) {
		if tmpl, err := ParseTemplate(text); err == nil {
			_, _ = tmpl.Expand(NewInput(testEnv(), testMessage(payload)))
		}
		s, err := Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "SQL, character ") {
				t.Fatal(err)
			}
			return
		}
		out, ok, err := s.Select(NewInput(testEnv(), testMessage(payload)))
		if err != nil || !ok {
			return
		}
		if out.JSON && !json.Valid(out.Payload) {
			t.Fatalf("%q on %q: not JSON: %q", text, payload, out.Payload)
		}
	})
}

// FuzzPayload: what is taken for JSON is JSON, and comes back the same.
func FuzzPayload(f *testing.F) {
	f.Add(`{"a":[1,2.50,-0,1e5,"\u00e9\ud83d\ude00",null,true,{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := parseJSON([]byte(text))
		if !ok {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("took %q", text)
		}
		again, ok := parseJSON(v.appendJSON(nil))
		if !ok || !equal(v, again) {
			t.Fatalf("%q became %q", text, v.appendJSON(nil))
		}
	})
}

func BenchmarkSelect(b *testing.B) {
	s, err := Parse(`SELECT *, topic(2) AS thing, timestamp() AS at, (temperature - 32) * 5 / 9 AS celsius FROM 'dt/+/telemetry' WHERE temperature > 40 AND startswith(state, 'ru')`)
	if err != nil {
		b.Fatal(err)
	}
	env, m := testEnv(), testMessage(`{"temperature":54.98,"humidity":32.43,"state":"running","coords":{"latitude":47.615694,"longitude":-122.3359976},"uptime":123456}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := s.Select(NewInput(env, m)); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

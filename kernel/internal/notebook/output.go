package notebook

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
)

// Output types of nbformat 4.
const (
	StreamOutput  = "stream"
	DisplayOutput = "display_data"
	ResultOutput  = "execute_result"
	ErrorOutput   = "error"
)

// An Output is one stored output of a code cell. Type determines which fields are used.
type Output struct {
	Type string

	Name string // for the type stream: output.Stdout or output.Stderr
	Text string // for the type stream

	Data     output.Bundle  // for the types display_data and execute_result
	Metadata map[string]any // for the types display_data and execute_result
	Count    int            // for the type execute_result: the execution count

	Err *output.Error // for the type error

	displayID string // not stored; used only during a run
	raw       json.RawMessage
}

// UnmarshalJSON decodes an output and keeps its JSON text.
func (o *Output) UnmarshalJSON(data []byte) error {
	var in struct {
		Type      string                     `json:"output_type"`
		Name      string                     `json:"name"`
		Text      multiline                  `json:"text"`
		Data      map[string]json.RawMessage `json:"data"`
		Metadata  map[string]any             `json:"metadata"`
		Count     *int                       `json:"execution_count"`
		EName     string                     `json:"ename"`
		EValue    string                     `json:"evalue"`
		Traceback []string                   `json:"traceback"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*o = Output{Type: in.Type, Name: in.Name, Text: string(in.Text), Metadata: in.Metadata}
	o.raw = append(json.RawMessage(nil), data...)
	if in.Count != nil {
		o.Count = *in.Count
	}
	switch in.Type {
	case DisplayOutput, ResultOutput:
		o.Data = output.Bundle{}
		for mime, raw := range in.Data {
			o.Data[mime] = decodeForm(mime, raw)
		}
	case ErrorOutput:
		o.Err = &output.Error{Name: in.EName, Value: in.EValue, Traceback: in.Traceback}
	case StreamOutput:
	case "":
		return errors.New(`an output of the cell has no "output_type"`)
	}
	return nil
}

func decodeForm(mime string, raw json.RawMessage) any {
	var text multiline
	if !isJSONMIME(mime) && json.Unmarshal(raw, &text) == nil {
		return string(text)
	}
	return raw
}

// MarshalJSON returns the JSON text from which the output was decoded. If there is none, it encodes the output with
// sorted keys, as Jupyter does.
func (o Output) MarshalJSON() ([]byte, error) {
	if o.raw != nil {
		return o.raw, nil
	}
	switch o.Type {
	case StreamOutput:
		return encode(struct {
			Name string    `json:"name"`
			Type string    `json:"output_type"`
			Text multiline `json:"text"`
		}{o.Name, o.Type, multiline(o.Text)})
	case ErrorOutput:
		return encode(struct {
			Name      string   `json:"ename"`
			Value     string   `json:"evalue"`
			Type      string   `json:"output_type"`
			Traceback []string `json:"traceback"`
		}{o.Err.Name, o.Err.Value, o.Type, append([]string{}, o.Err.Traceback...)})
	}
	out := map[string]any{"output_type": o.Type, "data": encodeForms(o.Data), "metadata": o.Metadata}
	if o.Metadata == nil {
		out["metadata"] = struct{}{}
	}
	if o.Type == ResultOutput {
		out["execution_count"] = o.Count
	}
	return encode(out)
}

// encodeForms returns data. Text is split into lines for the MIME types for which Jupyter does this.
func encodeForms(data output.Bundle) map[string]any {
	out := make(map[string]any, len(data))
	for mime, v := range data {
		if s, ok := v.(string); ok && isSplitMIME(mime) {
			v = multiline(s)
		}
		out[mime] = v
	}
	return out
}

func isJSONMIME(mime string) bool {
	return mime == "application/json" || strings.HasPrefix(mime, "application/") && strings.HasSuffix(mime, "+json")
}

func isSplitMIME(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "application/javascript" || mime == "image/svg+xml"
}

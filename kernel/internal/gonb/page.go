package gonb

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

// CommTarget is the target of the comm that the page opens.
const CommTarget = "gonb_comm"

//go:embed page.js
var pageScript string

// Page returns HTML with a script that connects a page to the kernel with this Jupyter
// kernel id. If the page is already connected, the script only reports that to the kernel.
func Page(kernel string) string {
	id, _ := json.Marshal(kernel) // never fails for a string, and escapes <
	return "<script>\n" + strings.Replace(pageScript, "KERNEL", string(id), 1) + "</script>"
}

// FromPage decodes the data of a message from the page's comm. It returns an error if the data is invalid.
func FromPage(data []byte) (Value, error) {
	var m struct {
		Address string `json:"address"`
		Value   any    `json:"value"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Value{}, err
	}
	v, err := plain(m.Value)
	if err != nil {
		return Value{}, fmt.Errorf("cannot pass on the value that the page sends to %q: %w", m.Address, err)
	}
	return Value{Address: m.Address, Value: v}, nil
}

// ToPage returns the data of a message to the page's comm.
func ToPage(v Value) (json.RawMessage, error) {
	return json.Marshal(map[string]any{"address": v.Address, "value": v.Value})
}

// plain converts a value decoded from JSON to a type that gonbui can receive.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case string, float64:
		return v, nil
	case []any:
		if numbers, ok := allOf[float64](v); ok {
			return numbers, nil
		}
		if words, ok := allOf[string](v); ok {
			return words, nil
		}
	case map[string]any:
		if numbers, ok := mapOf[float64](v); ok {
			return numbers, nil
		}
		if words, ok := mapOf[string](v); ok {
			return words, nil
		}
	}
	return nil, fmt.Errorf("the value is a %T, and gonbui takes numbers, text, and lists and maps of one of these", v)
}

func allOf[T any](list []any) ([]T, bool) {
	out := make([]T, len(list))
	for i, e := range list {
		t, ok := e.(T)
		if !ok {
			return nil, false
		}
		out[i] = t
	}
	return out, true
}

func mapOf[T any](m map[string]any) (map[string]T, bool) {
	out := make(map[string]T, len(m))
	for k, e := range m {
		t, ok := e.(T)
		if !ok {
			return nil, false
		}
		out[k] = t
	}
	return out, true
}

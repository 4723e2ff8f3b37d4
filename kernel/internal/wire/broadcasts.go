package wire

import "github.com/perijove/perijove/kernel/internal/output"

// Execution states that a kernel broadcasts.
const (
	Starting = "starting"
	Busy     = "busy"
	Idle     = "idle"
)

// The contents of messages on iopub.
type (
	KernelStatus struct {
		ExecutionState string `json:"execution_state"`
	}

	Stream struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}

	ExecuteInput struct {
		Code           string `json:"code"`
		ExecutionCount int    `json:"execution_count"`
	}

	ExecuteResult struct {
		ExecutionCount int            `json:"execution_count"`
		Data           output.Bundle  `json:"data"`
		Metadata       map[string]any `json:"metadata"`
	}

	DisplayData struct {
		Data      output.Bundle  `json:"data"`
		Metadata  map[string]any `json:"metadata"`
		Transient Transient      `json:"transient"`
	}

	// UpdateDisplayData changes a display that was shown earlier under the same ID.
	UpdateDisplayData struct {
		Data      output.Bundle  `json:"data"`
		Metadata  map[string]any `json:"metadata"`
		Transient Transient      `json:"transient"`
	}

	Transient struct {
		DisplayID string `json:"display_id,omitempty"`
	}

	ClearOutput struct {
		Wait bool `json:"wait"`
	}

	Error struct {
		EName     string   `json:"ename"`
		EValue    string   `json:"evalue"`
		Traceback []string `json:"traceback"`
	}

	// IOPubWelcome tells a subscriber that its subscription is in effect (JEP 65).
	IOPubWelcome struct {
		Subscription string `json:"subscription"`
	}
)

func (KernelStatus) MsgType() string      { return "status" }
func (Stream) MsgType() string            { return "stream" }
func (ExecuteInput) MsgType() string      { return "execute_input" }
func (ExecuteResult) MsgType() string     { return "execute_result" }
func (DisplayData) MsgType() string       { return "display_data" }
func (UpdateDisplayData) MsgType() string { return "update_display_data" }
func (ClearOutput) MsgType() string       { return "clear_output" }
func (Error) MsgType() string             { return "error" }
func (IOPubWelcome) MsgType() string      { return "iopub_welcome" }

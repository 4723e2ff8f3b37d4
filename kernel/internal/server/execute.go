package server

import (
	"context"
	"encoding/json"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) execute(ctx context.Context, r *request, req *wire.ExecuteRequest) (reply, error) {
	meta := wire.ExecuteMeta{Started: wire.Timestamp(time.Now()), DependenciesMet: true, Engine: s.id}
	if r.aborted {
		meta.Status = wire.StatusAborted
		return reply{content: &wire.ExecuteAborted{Status: wire.Status{Status: wire.StatusAborted}}, metadata: meta}, nil
	}
	k := newSink(s, r, req)
	out := s.Session.Execute(ctx, output.Request{
		Code:            *req.Code,
		CellID:          cellID(r.Metadata),
		Silent:          req.Silent,
		StoreHistory:    req.StoreHistory && !req.Silent,
		AllowStdin:      req.AllowStdin,
		UserExpressions: req.UserExpressions,
		HasNext:         r.queue.hasQueuedCell,
	}, k)
	if out.Status == output.Failed && out.Error == nil {
		out.Error = &output.Error{Name: "Error", Value: "the cell failed, and the error is not known", Traceback: []string{}}
	}
	r.held = s.transport.IOPub().Hold() // so that the last output is sent together with the idle status
	k.finish(out.Error)
	meta.Status = out.Status
	return reply{content: executeReply(out), metadata: meta}, nil
}

// cellID reads the cell's identifier from a request's metadata, where
// JupyterLab puts it.
func cellID(metadata json.RawMessage) string {
	var m struct {
		CellID string `json:"cellId"`
	}
	if json.Unmarshal(metadata, &m) != nil {
		return ""
	}
	return m.CellID
}

func executeReply(out output.Reply) wire.Content {
	status := wire.Status{Status: out.Status}
	switch out.Status {
	case output.Aborted:
		return &wire.ExecuteAborted{Status: status}
	case output.Failed:
		return &wire.ExecuteFailure{
			Status:          status,
			ExecutionCount:  out.ExecutionCount,
			EName:           out.Error.Name,
			EValue:          out.Error.Value,
			Traceback:       lines(out.Error.Colored()),
			Payload:         []any{},
			UserExpressions: map[string]wire.UserExpression{},
		}
	}
	return &wire.ExecuteReply{
		Status:          status,
		ExecutionCount:  out.ExecutionCount,
		Payload:         payload(out),
		UserExpressions: userExpressions(out.UserExpressions),
	}
}

func userExpressions(results map[string]output.ExpressionResult) map[string]wire.UserExpression {
	m := make(map[string]wire.UserExpression, len(results))
	for name, res := range results {
		if e := res.Error; e != nil {
			m[name] = wire.UserExpression{
				Status: wire.StatusError, EName: e.Name, EValue: e.Value, Traceback: lines(e.Traceback),
			}
			continue
		}
		m[name] = wire.UserExpression{Status: wire.StatusOK, Data: bundle(res.Data), Metadata: object(res.Metadata)}
	}
	return m
}

func payload(out output.Reply) []any {
	list := []any{}
	if out.Page != nil {
		list = append(list, wire.Page{Source: "page", Data: out.Page})
	}
	if n := out.NextInput; n != nil {
		list = append(list, wire.SetNextInput{Source: "set_next_input", Text: n.Text, Replace: n.Replace})
	}
	return list
}

// The protocol requires lists and objects where Go values may be nil.

func lines(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

func bundle(b output.Bundle) output.Bundle {
	if b == nil {
		return output.Bundle{}
	}
	return b
}

func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

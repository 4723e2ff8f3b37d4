package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) history(_ context.Context, _ *request, req *wire.HistoryRequest) (reply, error) {
	entries, err := selectHistory(s.Session.History(), req)
	if err != nil {
		return reply{}, err
	}
	items := make([]wire.HistoryItem, 0, len(entries))
	for _, e := range entries {
		items = append(items, wire.HistoryItem{
			Session: e.Session, Line: e.Line, Input: e.Input, Output: e.Output, WithOutput: req.Output,
		})
	}
	return answer(&wire.HistoryReply{Status: wire.Status{Status: wire.StatusOK}, History: items})
}

func selectHistory(all []output.HistoryEntry, req *wire.HistoryRequest) ([]output.HistoryEntry, error) {
	switch req.HistAccessType {
	case "tail", "":
		return last(all, req.N), nil
	case "range":
		return historyRange(all, req), nil
	case "search":
		return historySearch(all, req), nil
	}
	return nil, fmt.Errorf("the hist_access_type %q of the history request is not tail, range or search", req.HistAccessType)
}

func last(entries []output.HistoryEntry, n *int) []output.HistoryEntry {
	if n == nil || *n >= len(entries) {
		return entries
	}
	return entries[len(entries)-max(*n, 0):]
}

// historyRange selects lines Start to Stop, exclusive, of one session. A session number
// of zero is the current session, -1 the session before it, and so on.
func historyRange(all []output.HistoryEntry, req *wire.HistoryRequest) []output.HistoryEntry {
	session := req.Session
	if session <= 0 && len(all) > 0 {
		session += all[len(all)-1].Session
	}
	return slices.DeleteFunc(slices.Clone(all), func(e output.HistoryEntry) bool {
		return e.Session != session || e.Line < req.Start || req.Stop != nil && e.Line >= *req.Stop
	})
}

func historySearch(all []output.HistoryEntry, req *wire.HistoryRequest) []output.HistoryEntry {
	pattern := req.Pattern
	if pattern == "" {
		pattern = "*"
	}
	found := slices.DeleteFunc(slices.Clone(all), func(e output.HistoryEntry) bool {
		return !glob(pattern, e.Input)
	})
	if req.Unique {
		found = latestOfEach(found)
	}
	return last(found, req.N)
}

func latestOfEach(entries []output.HistoryEntry) []output.HistoryEntry {
	seen := make(map[string]bool, len(entries))
	kept := make([]output.HistoryEntry, 0, len(entries))
	for _, e := range slices.Backward(entries) {
		if !seen[e.Input] {
			seen[e.Input] = true
			kept = append(kept, e)
		}
	}
	slices.Reverse(kept)
	return kept
}

// glob reports whether pattern matches the whole text: * matches any characters, including newlines, and ? matches one
// character. At worst, glob takes time proportional to the product of the lengths.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0 // position of the last *, and end of the text that it matches
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

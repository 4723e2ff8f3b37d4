package session

import (
	"context"
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

// Execute runs one cell. It waits until the previous cell has ended; if ctx ends first, the reply's status is Aborted.
// It may be called concurrently.
func (s *Session) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	select {
	case <-s.turn:
		defer func() { s.prepareForNext(); s.turn <- struct{}{} }()
	case <-ctx.Done():
		return output.Reply{Status: output.Aborted, UserExpressions: map[string]output.ExpressionResult{}}
	}
	n := s.nextExecutionCount(req)
	if req.Silent {
		sink = sinks.Discard{Sink: sink}
	}
	ctx, end := s.beginExecution(ctx, req)
	defer end()
	sink.Started(n)
	reply := output.Reply{Status: output.OK, ExecutionCount: n, UserExpressions: map[string]output.ExpressionResult{}}
	var err *output.Error
	if err = s.executeCell(ctx, req, n, sink, &reply); err != nil {
		sink.Error(err)
		reply.Status, reply.Error = output.Failed, err
		return reply
	}
	for name, expr := range req.UserExpressions {
		reply.UserExpressions[name] = s.evaluate(ctx, expr)
	}
	return reply
}

// nextExecutionCount returns the execution count of a request, which is a new one if
// the request counts.
func (s *Session) nextExecutionCount(req output.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if counts(req) {
		s.count++
	}
	return s.count
}

// counts reports whether a request increases the execution count.
func counts(req output.Request) bool { return req.StoreHistory && !req.Silent }

// executeCell runs a cell, or answers a cell such as "name?", and stores it in the history.
func (s *Session) executeCell(ctx context.Context, req output.Request, n int, sink output.Sink, reply *output.Reply) (err *output.Error) {
	text := sinks.NewLimited(sink, s.outputLimit)
	rec := sinks.NewRecorder(text)
	if s.outputLimitErr != nil {
		sink.Stream(output.Stderr, fmt.Sprintf("%v; the output of a cell is shown %v\n", s.outputLimitErr, s.outputLimit))
		s.outputLimitErr = nil
	}
	number := 0
	if counts(req) {
		number = n
	}
	s.textOnly = req.AllowStdin && req.CellID == ""
	if name, source, ok := cell.Question(req.Code); ok {
		reply.Page, err = s.help(ctx, name, source)
	} else {
		reply.NextInput, err = s.runCell(ctx, number, req.Code, rec)
	}
	if text, ok := rec.Metadata[errorMetadata].(string); ok && err == nil && (s.strict || req.Strict) {
		err = traceback.New("Error", text)
	}
	if err == nil && counts(req) {
		s.saved.add(n, req)
	}
	text.End()
	if counts(req) {
		s.mu.Lock()
		s.history = append(s.history, output.HistoryEntry{Line: n, Input: req.Code, Output: rec.Text})
		s.mu.Unlock()
	}
	return err
}

// errorMetadata equals cellruntime.ErrorMetadata. The kernel does not import package cellruntime.
const errorMetadata = "perijove_error"

// beginExecution returns a context that Interrupt cancels. The compiler, the wait for the worker process, an input
// request and the cell's code end with this context. beginExecution also sets Session.next. The caller calls the
// returned function when the cell has ended.
func (s *Session) beginExecution(ctx context.Context, req output.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.running, s.cancel, s.next = ctx, cancel, req.HasNext
	if s.closed {
		cancel()
	}
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		s.running, s.cancel, s.next = nil, nil, nil
		s.mu.Unlock()
		cancel()
	}
}

// runCell builds, loads and runs a cell. It also returns the text that the cell wants the front end to put into the
// next or the same input cell, or nil.
func (s *Session) runCell(ctx context.Context, n int, code string, sink output.Sink) (*output.NextInput, *output.Error) {
	if strings.TrimSpace(code) == "" {
		return nil, nil
	}
	r := &run{session: s, ctx: ctx, n: n, sink: sink, code: code}
	err := r.run()
	r.news.end()
	if r.file != "" && err == nil {
		text := r.file
		return s.runCell(ctx, n, text, sink)
	}
	return r.next, err
}

// run runs the cell.
func (r *run) run() (failed *output.Error) {
	s := r.session
	c, errs := cell.Parse(r.n, r.code)
	if errs != nil {
		return buildError(errs)
	}
	if err := checkRestDirectives(c); err != nil {
		return err
	}
	s.detectGoNB(c)
	s.reportDeath(r.sink)
	if s.memoryLimitErr != nil {
		r.sink.Stream(output.Stderr, fmt.Sprintf("%v; the limit is %v\n", s.memoryLimitErr, s.memoryLimit))
		s.memoryLimitErr = nil
	}
	r.showRaces(nil) // shows the races of goroutines that have run since the last cell
	defer func() { failed = r.showRaces(failed) }()
	for _, d := range c.Directives {
		if err := r.runDirective(d); err != nil {
			return err
		}
	}
	if s.isGoNB {
		if err := s.setGoNBFolders(r.ctx); err != nil {
			return workerError(err)
		}
	}
	if err := r.ensureImports(c); err != nil {
		return err
	}
	if err := r.ensureCgoWorker(c); err != nil {
		return err
	}
	r.reloadEdited()
	r.prepareImports(c)
	if r.prof != nil {
		if err := r.prof.Begin(r.profilerCell); err != nil {
			return err
		}
		defer func() { r.endProfile(failed) }()
	}
	if r.bench != nil {
		return r.runBench(c)
	}
	err := r.execute(c, func(u *program.Unit, failed *output.Error) { r.addToJournal(r.code, u, failed) })
	r.showTrace(err)
	if err != nil || r.tests == nil {
		return err
	}
	return r.runTests()
}

// checkRestDirectives refuses a directive that takes the rest of the cell and comes
// after Go code, since the order in which to run them is unclear.
func checkRestDirectives(c *cell.Cell) *output.Error {
	for _, d := range c.Directives {
		if d.Rest && len(c.Imports)+len(c.Decls)+len(c.Stmts) > 0 {
			return traceback.New("DirectiveError", fmt.Sprintf("%s line %d: %s takes the rest of the cell: write it before Go code", cell.Name(c.N), d.Pos.Line, d.Name))
		}
	}
	return nil
}

// evaluate runs a user expression and returns its value.
func (s *Session) evaluate(ctx context.Context, expr string) output.ExpressionResult {
	c := &sinks.ResultOnly{}
	if _, err := s.runCell(ctx, 0, expr, c); err != nil {
		return output.ExpressionResult{Error: err}
	}
	if c.Data == nil {
		c.Data = output.Bundle{}
	}
	return output.ExpressionResult{Data: c.Data, Metadata: c.Metadata}
}

package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/control"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/program"
)

// Execute runs one cell.
func (s *Session) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	select {
	case <-s.turn:
		defer func() { s.prepare(); s.turn <- struct{}{} }()
	case <-ctx.Done():
		return output.Reply{Status: output.Aborted, UserExpressions: map[string]output.ExpressionResult{}}
	}
	n := s.nextNumber(req)
	if req.Silent {
		sink = quiet{sink}
	}
	ctx, end := s.begin(ctx, req)
	defer end()
	sink.Started(n)
	reply := output.Reply{Status: output.OK, ExecutionCount: n, UserExpressions: map[string]output.ExpressionResult{}}
	var err *output.Error
	if reply.Page, err = s.executeCell(ctx, req, n, sink); err != nil {
		sink.Error(err)
		reply.Status, reply.Error = output.Failed, err
		return reply
	}
	for name, expr := range req.UserExpressions {
		reply.UserExpressions[name] = s.evaluate(ctx, expr)
	}
	return reply
}

// nextNumber counts a cell, if it is one that counts.
func (s *Session) nextNumber(req output.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if counts(req) {
		s.count++
	}
	return s.count
}

// counts reports whether a request is a cell that others refer to.
func counts(req output.Request) bool { return req.StoreHistory && !req.Silent }

// executeCell runs a cell, or answers one that only asks, and stores both.
func (s *Session) executeCell(ctx context.Context, req output.Request, n int, sink output.Sink) (page output.Bundle, err *output.Error) {
	text := &capped{Sink: sink, limit: int64(s.outputLimit)}
	rec := &recorder{Sink: text}
	if s.badOutput != nil {
		sink.Stream(output.Stderr, fmt.Sprintf("%v; the output of a cell is shown %v\n", s.badOutput, s.outputLimit))
		s.badOutput = nil
	}
	number := 0
	if counts(req) {
		number = n
	}
	if name, source, ok := askedFor(req.Code); ok {
		page, err = s.explain(ctx, name, source)
	} else {
		err = s.runCell(ctx, number, req.Code, rec)
	}
	text.end()
	if counts(req) {
		s.mu.Lock()
		s.history = append(s.history, output.HistoryEntry{Line: n, Input: req.Code, Output: rec.text})
		s.mu.Unlock()
	}
	return page, err
}

// begin notes what Interrupt cancels: the compiler, the wait for the worker, an
// input, and through the worker the cell itself; and whether another follows.
func (s *Session) begin(ctx context.Context, req output.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.running, s.cancel, s.next = ctx, cancel, req.HasNext
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		s.running, s.cancel, s.next = nil, nil, nil
		s.mu.Unlock()
		cancel()
	}
}

// runCell takes a cell through build, load and run.
func (s *Session) runCell(ctx context.Context, n int, code string, sink output.Sink) *output.Error {
	if strings.TrimSpace(code) == "" {
		return nil
	}
	r := &run{Session: s, ctx: ctx, n: n, sink: sink}
	c, errs := cell.Parse(n, code)
	if errs != nil {
		return buildError(errs)
	}
	if err := misplaced(c); err != nil {
		return err
	}
	s.noteStyle(c)
	s.noticeDeath(sink)
	if s.badLimit != nil {
		sink.Stream(output.Stderr, fmt.Sprintf("%v; the limit is %v\n", s.badLimit, s.limit))
		s.badLimit = nil
	}
	for _, d := range c.Directives {
		if err := r.directive(d); err != nil {
			return err
		}
	}
	if s.gonbStyle {
		if err := s.tellFolders(ctx); err != nil {
			return workerError(err)
		}
	}
	if err := r.bring(c); err != nil {
		return err
	}
	if err := r.takeC(c); err != nil {
		return err
	}
	r.refresh()
	r.prepareImports(c)
	err := r.execute(c, func(u *program.Unit, failed *output.Error) { r.note(code, u, failed) })
	if err != nil || r.tests == nil {
		return err
	}
	return r.runTests()
}

// execute compiles, loads and runs the Go of a cell. note is called for a cell
// that was loaded, with what it does and how it ended.
func (r *run) execute(c *cell.Cell, note func(*program.Unit, *output.Error)) *output.Error {
	if r.gonbStyle {
		c = c.WithInits()
	}
	return r.load(c, false, note)
}

// load does the work of execute. If whole, an unrecovered panic in any
// goroutine ends the cell, as it ends a program.
func (r *run) load(c *cell.Cell, whole bool, note func(*program.Unit, *output.Error)) *output.Error {
	program := r.program.Load()
	unit, err := program.Build(r.ctx, c)
	if err != nil {
		if r.ctx.Err() != nil {
			return failure(interrupted, "interrupted while compiling")
		}
		if out := r.compilerStopped(err); out != nil {
			return out
		}
		if gone := r.imageGone(err); gone != nil {
			return failure("ImageError", gone.Error())
		}
		return buildError(err)
	}
	for _, text := range unit.Notices {
		r.sink.Stream(output.Stderr, text+"\n")
	}
	if len(unit.Flags) > 0 {
		if err := r.applySetup(r.ctx, control.Setup{Flags: unit.Flags}); err != nil {
			return workerError(err)
		}
	}
	if r.solo() {
		return r.runSolo(unit)
	}
	w, err := r.ready(r.ctx)
	if err != nil {
		return workerError(err)
	}
	if unit.Object == "" {
		program.Commit(unit)
		note(unit, nil)
		return nil
	}
	return r.link(w, program, unit, whole, note)
}

// link has the worker load and run a unit. What that declares is committed as
// soon as it is linked, however the cell ends.
func (r *run) link(w *process, program *program.Program, unit *program.Unit, whole bool, note func(*program.Unit, *output.Error)) *output.Error {
	extra, err := r.modules.ExtraImportcfg()
	if err != nil {
		return failure("WorkerError", err.Error())
	}
	loaded := false
	w.number(r.n, r.view)
	out, err := w.run(r.ctx, control.Run{
		Initial: control.Initial(unit.Initial), Importcfg: extra, Forget: r.forget, EndsOnAnyPanic: whole, Cell: r.n, Live: r.modules.Live(), Retry: unit.Retry,
		Object: unit.Object, Fresh: unit.Fresh, Renewed: unit.Renewed, Entry: unit.Entry, Init: unit.Init,
	}, r.sink, func(reset, notices []string) {
		program.Commit(unit)
		r.forget, loaded = false, true
		unit.Effects.Writes = append(unit.Effects.Writes, reset...)
		if len(reset) > 0 {
			r.sink.Stream(output.Stderr, "reset, since the type changed: "+strings.Join(reset, ", ")+"\n")
		}
		for _, text := range notices {
			r.sink.Stream(output.Stderr, text+"\n")
		}
	})
	var failed *output.Error
	if refused := (*loadError)(nil); errors.As(err, &refused) {
		if refused.cell = unit.Cell; refused.at == nil {
			refused.at = importLine(unit.Cell, refused.path)
		}
	}
	if err != nil {
		failed = r.workerFailed(w, err)
	} else if failed = r.noteInitialization(program, out); failed == nil {
		failed = r.outcomeError(out)
	}
	if loaded {
		r.drop(w, program)
		r.tellRetyped(unit, out, failed)
		note(unit, failed)
	}
	return failed
}

// tellRetyped names variables that a failed cell has given another type, and no
// value.
func (r *run) tellRetyped(unit *program.Unit, out *control.Outcome, failed *output.Error) {
	if failed == nil || out == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(unit.Retyped)) {
		if !slices.Contains(out.Assigned, name) {
			r.sink.Stream(output.Stderr, unit.Retyped[name]+"\n")
		}
	}
}

// imageGone reports that a failed build is the image's fault. A mistake of the
// user's costs one look at the folder; the files are many.
func (s *Session) imageGone(err error) error {
	var mistakes cell.Errors
	if errors.As(err, &mistakes) && !strings.Contains(err.Error(), s.cfg.Image.Dir) {
		if _, err := os.Stat(s.cfg.Image.Dir); err == nil {
			return nil
		}
	}
	return s.cfg.Image.Check()
}

// evaluate runs a user expression and returns its value.
func (s *Session) evaluate(ctx context.Context, expr string) output.ExpressionResult {
	c := &capture{}
	if err := s.runCell(ctx, 0, expr, c); err != nil {
		return output.ExpressionResult{Error: err}
	}
	if c.data == nil {
		c.data = output.Bundle{}
	}
	return output.ExpressionResult{Data: c.data, Metadata: c.metadata}
}

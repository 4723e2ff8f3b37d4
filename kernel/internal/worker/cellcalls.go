package worker

import (
	"context"
	"os"
	"reflect"

	"github.com/perijove/perijove/kernel/internal/cellruntime"
	"github.com/perijove/perijove/kernel/internal/preempt"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/stopwatch"
)

// Generated code calls the exported functions in this file, by their linker names. Start, Stop and Repeat implement
// %time and %timeit; they are called in the goroutine of the cell.

// Start begins a measurement of %time.
func Start() { watch().Start() }

// Stop ends the innermost measurement of %time and prints its result.
func Stop() { os.Stdout.WriteString(watch().Stop()) }

// stopAll ends all measurements and prints their results. It is called before the value of the cell's last expression
// is shown, since showing it does not count as time of the cell.
func stopAll() { os.Stdout.WriteString(watch().StopAll()) }

// Repeat returns how often the statement of %timeit must run next. loops and runs are the options -n and -r of
// %timeit, or 0. When the measurement is complete, Repeat prints the result and returns 0.
func Repeat(loops, runs int) int {
	n, report := watch().Next(loops, runs)
	os.Stdout.WriteString(report)
	return n
}

// watch returns the stopwatch of the running cell. If the cell of the calling goroutine was interrupted and has ended
// without the goroutine, watch returns a new stopwatch.
func watch() *stopwatch.Watch {
	x := self.cell.Load()
	x.haltInterrupted()
	if x == nil || x.g.Load() != preempt.CurrentG() {
		return &stopwatch.Watch{}
	}
	return &x.watch
}

// Context returns the context of the cell to which the calling goroutine belongs, which is the cell that started it,
// directly or through other goroutines. For a goroutine that belongs to no cell, it is the context of the running or
// last cell. Generated code calls Context, by its linker name, in place of ctx.
func Context() context.Context {
	if self == nil {
		return context.Background()
	}
	if self.goroutines != nil {
		if c := self.contexts.find(self.goroutines.Describe(preempt.CurrentG()).Labels); c != nil {
			return c
		}
	}
	if x := self.cell.Load(); x != nil {
		return x.cellCtx
	}
	return context.Background()
}

// Show shows the values of a cell's last expression as one result, and keeps them for Out.
func Show(values ...any) {
	stopAll()
	cellruntime.Keep(self.cell.Load().cell, values...)
	self.showResult(cellruntime.Result(values...), cellruntime.Calls(values...)...)
}

// ShowError shows an error that is the value of a cell's last expression. It shows nothing for nil. Generated code
// calls ShowError by its linker name.
func ShowError(err error) {
	self.cell.Load().haltInterrupted()
	if err != nil {
		Show(err)
	}
}

// ShowRune shows a value whose type is rune in the source: its number, as Go prints it, and its character.
func ShowRune(r rune) {
	stopAll()
	cellruntime.Keep(self.cell.Load().cell, r)
	self.showResult(cellruntime.RuneResult(r))
}

// Earlier returns the value that a cell has shown; see cellruntime.Earlier.
func Earlier(cell int) any { return cellruntime.Earlier(cell) }

// Embed fills a variable with files; see cellruntime.Embed.
func Embed(variable any, patterns string) { cellruntime.Embed(variable, patterns) }

// Assigned records that variables whose type the cell has changed have got their values. Generated code calls it by
// its linker name.
func Assigned(names ...string) {
	if x := self.cell.Load(); x != nil && x.g.Load() == preempt.CurrentG() {
		x.mu.Lock()
		x.assigned = append(x.assigned, names...)
		x.mu.Unlock()
	}
}

// Record records the errors that are in the variable to which v points. The variable has its initial value. These
// errors are the same in all processes; see mphost.RecordVariables.
func Record(v any) {
	p := reflect.ValueOf(v)
	mphost.RecordVariables(mphost.Range{Start: p.Pointer(), End: p.Pointer() + p.Type().Elem().Size()})
}

package translate

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/types"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/prose"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/export/source"
	"github.com/perijove/perijove/kernel/internal/program/typetext"
)

// A result says how a program prints the value of a cell's last expression.
type result uint8

const (
	unknown      result = iota // the type is not known yet
	plain                      // a statement without a value
	discarded                  // _ = x
	printed                    // fmt.Println
	quoted                     // fmt.Printf("%q\n")
	shown                      // display.Values
	shownAsError               // display.Values, unless the value is nil
	shownAsRune
)

func (f *file) statement(st *resolve.Stmt) {
	src := st.Step.Cell.Src
	if st.Embed != "" || st.Role == cell.ParseFlags && !f.b.usesFlags {
		return // the variable has its value at package level; there are no flags
	}
	if st.Role == cell.Written {
		if f.b.isReady(st) && f.b.declaresGlobals(st) {
			return
		}
		f.printf("%s", prose.Above(src, st.Pos))
	}
	f.startWatch(st)
	begin := f.text.Len()
	switch {
	case st.Loop != nil:
		f.loop(st)
	case st.Define >= 0:
		f.define(st)
	case st.Var != nil:
		f.variables(st)
	case st.IsResult():
		f.result(st)
	default:
		f.copyStmt(st).write(0, len(st.Text), nil)
	}
	if after := trailing(src, st); after != "" || f.text.Len() > begin {
		f.printf("%s\n", after)
	}
	if !st.IsResult() {
		f.stopWatch(st)
	}
}

// result writes the last expression of a cell.
func (f *file) result(st *resolve.Stmt) {
	c := f.copyStmt(st)
	kind := f.b.results[st]
	if kind == unknown && !st.Call {
		kind = shown
	}
	value := ""
	if e := f.b.ResultVariable(st); e != nil && kind > discarded {
		value = f.keepResult(st, e)
		f.stopWatch(st)
	}
	wrapped := func(before, after string) {
		f.printf("%s", before)
		if value != "" {
			f.printf("%s", value)
		} else {
			c.write(st.Expr.Start, st.Expr.End, nil)
		}
		f.printf("%s", after)
	}
	switch kind {
	case unknown, plain:
		c.write(0, len(st.Text), nil)
	case discarded:
		wrapped("_ = ", "")
	case printed:
		wrapped(f.pkg("fmt")+".Println(", ")")
	case quoted:
		wrapped(f.pkg("fmt")+".Printf(\"%q\\n\", ", ")")
	case shown:
		wrapped(f.pkg(resolve.DisplayPackage)+".Values(", ")")
	case shownAsRune:
		wrapped(f.pkg(resolve.DisplayPackage)+".Rune(", ")")
	case shownAsError:
		if value != "" {
			f.printf("if %s != nil {\n%s.Values(%[1]s)\n}", value, f.pkg(resolve.DisplayPackage))
		} else {
			f.errorResult(st)
		}
	}
	if value == "" {
		f.stopWatch(st)
	}
}

// errorResult writes an error that is shown unless it is nil.
func (f *file) errorResult(st *resolve.Stmt) {
	c := f.copyStmt(st)
	name := "err"
	f.printf("if ")
	if x, err := parser.ParseExpr(st.Text[st.Expr.Start:st.Expr.End]); err == nil {
		if _, ok := x.(*ast.Ident); ok { // it needs no variable
			at := f.text.Len()
			c.write(st.Expr.Start, st.Expr.End, nil)
			name = f.text.String()[at:]
			f.printf(" != nil {\n%s.Values(%s)\n}", f.pkg(resolve.DisplayPackage), name)
			return
		}
	}
	f.printf("err := ")
	c.write(st.Expr.Start, st.Expr.End, nil)
	f.printf("; err != nil {\n%s.Values(err)\n}", f.pkg(resolve.DisplayPackage))
}

// resultOf decides how a value is printed.
func (b *translation) resultOf(st *resolve.Stmt, tv types.TypeAndValue, isPrint bool) result {
	t := tv.Type
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() == 0 || !tv.IsValue() {
		return plain
	}
	if isPrint {
		return plain
	}
	if st.Step.Cell.HideResult {
		return discarded
	}
	if t == types.Universe.Lookup("rune").Type() || t == types.Typ[types.UntypedRune] {
		return shownAsRune
	}
	if types.Identical(t, types.Universe.Lookup("error").Type()) {
		return shownAsError
	}
	if basic, ok := types.Unalias(t).(*types.Basic); ok {
		switch info := basic.Info(); {
		case info&(types.IsNumeric|types.IsBoolean) != 0:
			return printed
		case info&types.IsString != 0 && tv.Value != nil:
			if s := constant.StringVal(tv.Value); !strings.Contains(s, "\n") && len(s) < 1000 {
				return quoted
			}
		}
	}
	return shown
}

// A definition is one name on the left of := or after var.
type definition struct {
	name     cell.Ref
	variable *resolve.Entity // nil for a blank identifier
	isNew    bool            // a local variable that the statement declares
}

func (b *translation) definitions(st *resolve.Stmt) []definition {
	var list []definition
	for i, n := range st.Names {
		d := definition{name: n}
		if n.Name != "_" {
			e := b.Tables[st.Step.Index][n.Name]
			d.variable = e.Variable()
			d.isNew = st.New[i] && !b.isGlobal[d.variable] && d.variable.Stmt == st
			if b.unused[d.variable] {
				d.variable, d.isNew = nil, false
			}
		}
		list = append(list, d)
	}
	return list
}

func (b *translation) declaresGlobals(st *resolve.Stmt) bool {
	return slices.ContainsFunc(b.definitions(st), func(d definition) bool { return d.variable != nil && b.isGlobal[d.variable] && d.variable.Stmt == st })
}

// define writes a := statement.
func (f *file) define(st *resolve.Stmt) {
	list := f.b.definitions(st)
	over := map[int]string{}
	for _, d := range list {
		if d.variable == nil {
			over[d.name.Off] = "_"
		}
	}
	if !slices.ContainsFunc(list, func(d definition) bool { return d.variable != nil }) && f.b.isConstants(st, st.Values) {
		return
	}
	op := "="
	if hasNew(list) {
		if slices.ContainsFunc(list, func(d definition) bool { return d.variable != nil && f.b.isGlobal[d.variable] }) {
			f.declareLocals(list)
		} else {
			op = ":="
		}
	}
	c := f.copyStmt(st)
	c.write(0, st.Define, over)
	f.printf(" %s ", op)
	c.write(st.Define+len(":="), len(st.Text), nil)
}

func hasNew(list []definition) bool {
	return slices.ContainsFunc(list, func(d definition) bool { return d.isNew })
}

func (f *file) declareLocals(list []definition) {
	for _, d := range list {
		if d.isNew {
			f.printf("var %s %s\n", d.variable.GoName, f.typeText(d.variable))
		}
	}
}

// variables writes a var specification of a cell.
func (f *file) variables(st *resolve.Stmt) {
	list := f.b.definitions(st)
	named := slices.DeleteFunc(slices.Clone(list), func(d definition) bool { return d.variable == nil })
	allNew := !slices.ContainsFunc(named, func(d definition) bool { return !d.isNew })
	c := f.copyStmt(st)
	over := map[int]string{}
	for _, d := range list {
		if d.variable == nil {
			over[d.name.Off] = "_"
		}
	}
	switch v := st.Var; {
	case len(named) == 0 && len(v.Values) == 0:
	case allNew:
		f.printf("var ")
		c.write(0, len(st.Text), over)
	case len(v.Values) == 0:
		for _, d := range named {
			switch {
			case d.isNew:
				f.declareLocals([]definition{d})
			case d.variable.Stmt != st: // declared again: it is zero again
				f.printf("%s = %s\n", d.variable.GoName, f.zero(d.variable))
			}
		}
	default:
		f.declareLocals(list)
		c.write(0, v.NamesEnd, over)
		f.printf(" = ")
		c.write(v.ValueStart, v.ValueEnd, nil)
	}
}

// zero returns the zero value of a variable's type.
func (f *file) zero(e *resolve.Entity) string {
	switch t := e.Typ.Underlying().(type) {
	case *types.Basic:
		switch {
		case t.Info()&types.IsString != 0:
			return `""`
		case t.Info()&types.IsBoolean != 0:
			return "false"
		case t.Info()&types.IsNumeric != 0:
			return "0"
		}
	case *types.Struct, *types.Array:
		return f.typeText(e) + "{}"
	}
	return "nil"
}

// typeText returns the type of a variable as source of the program.
func (f *file) typeText(e *resolve.Entity) string {
	if e.Typ == nil || e.Typ == types.Typ[types.Invalid] {
		return "any" // the check reports the error
	}
	if typetext.Of(e.Typ, f.b.Inferred) == nil {
		s := f.b.Steps[e.Step]
		f.b.Refuse(s, e.Stmt.Pos, "%s has the type %s, which a declaration cannot name: use the variable in one section only", e.Name, types.TypeString(e.Typ, nil))
		return "any"
	}
	text := types.TypeString(e.Typ, func(p *types.Package) string {
		if p == f.b.Inferred {
			return ""
		}
		return f.pkg(p.Path())
	})
	return f.b.programNames(text)
}

// programNames replaces the names of an inference by those of the program.
func (b *translation) programNames(text string) string {
	if !strings.Contains(text, "ʹ") {
		return text
	}
	for _, x := range b.All {
		if x.Entity.Kind == cell.Type {
			text = source.ReplaceName(text, resolve.InstanceName(x, x.Entity.Name), x.GoName)
		}
	}
	return text
}

// trailing returns the comment that follows a statement on its last line.
func trailing(text string, st *resolve.Stmt) string {
	if st.Role != cell.Written {
		return ""
	}
	return prose.After(text, &st.Source)
}

// keepResult writes the assignment of a cell's value to its variable, and returns the list of variables to show in place of the expression. If
// there are several values, the list includes variables for the others.
func (f *file) keepResult(st *resolve.Stmt, e *resolve.Entity) string {
	names, op := e.GoName, ":="
	switch {
	case e.WithErr:
		names += ", " + e.GoName + "Err"
		if f.b.isGlobal[e] {
			op = "="
			f.printf("var %sErr error\n", e.GoName)
		}
	case e.Values > 1: // no other code uses them
		for i := 1; i < e.Values; i++ {
			names += fmt.Sprintf(", %s%c", e.GoName, 'A'+i)
		}
	case f.b.isGlobal[e]:
		op = "="
	}
	f.printf("%s %s ", names, op)
	f.copyStmt(st).write(st.Expr.Start, st.Expr.End, nil)
	f.printf("\n")
	return names
}

// Package advice adds a suggestion to errors of the type checker: a name with a
// similar spelling, a conversion, or the Go form of another language's expression. It
// recognizes the kind of error by the message of go/types, and derives the suggestion from
// the syntax tree and the types.
package advice

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/spelling"
)

// A Source holds the checked files and the names from which suggestions are derived.
type Source struct {
	Files []*ast.File
	Pkg   *types.Package
	Info  *types.Info
	// Names returns the names that the notebook declares, and the names of the packages that cells can use without an
	// import.
	Names func() (declared, packages []string)
	// Import returns a package of the standard library, or nil if it cannot be loaded.
	Import func(path string) *types.Package
}

// A question is one error of the type checker for which a suggestion is to be found.
type question struct {
	Source
	pos  token.Pos
	msg  string
	path []ast.Node // nodes that contain pos, innermost first
}

// topics lists the kinds of errors. The message of a kind begins with one text and contains another. The first kind
// that matches and has advice is used.
var topics = []struct {
	prefix, infix string
	advise        func(question) string
}{
	{"undefined: ", "", question.undefined},
	{"", " has no field or method ", question.member},
	{"", "(mismatched types ", question.mismatch},
	{"cannot use ", " value in ", question.conversion},
	{"", "truncated to ", question.truncated},
	{"assignment mismatch: ", "", question.results},
	{"declared and not used: ", "", question.unused},
	{"non-boolean condition in ", "", question.condition},
	{"use of untyped nil in ", "", func(question) string { return "nil alone has no type: declare one, as in var p *T" }},
	{"cannot assign to ", "neither addressable nor a map index expression", question.assignment},
	{"", "is not used", question.notUsed},
	{"invalid operation: cannot call ", "", question.notFunction},
	{"too many return values", "", question.returns},
	{"no new variables on left side of :=", "", func(question) string { return "= assigns to a variable that exists" }},
	{"cannot use _ as value", "", func(question) string { return "Out[3] is the value that cell 3 has shown" }},
	{"missing return", "", func(question) string { return "every path through the function must end with a return statement" }},
	{"cannot convert ", "untyped string constant", question.parse},
	{"invalid operation: cannot indirect ", "", question.power},
	{"invalid operation: operator ", " not defined on ", question.undefinedOperator},
	{"invalid operation: ", "can only be compared to nil", question.comparison},
	{"invalid operation: ", " cannot be compared", question.comparison},
	{"invalid argument: index ", " must not be negative", question.negativeIndex},
	{"invalid argument: ", " cannot be ordered", question.unordered},
	{"label ", " declared and not used", question.label},
	{"name ", " not exported by package ", question.notExported},
	{"", " is not a type", question.untypedParameter},
}

// On returns the message msg of an error at pos, with a suggestion added if there is one.
func (s Source) On(pos token.Pos, msg string) string {
	if s.Pkg == nil {
		return msg
	}
	q := question{Source: s, pos: pos, msg: msg, path: pathTo(s.Files, pos)}
	for _, topic := range topics {
		if !strings.HasPrefix(msg, topic.prefix) || !strings.Contains(msg, topic.infix) {
			continue
		}
		if text := topic.advise(q); text != "" {
			return q.join(text)
		}
	}
	return msg
}

// join adds advice to the first line of a message.
func (q question) join(text string) string {
	first, rest, more := strings.Cut(q.msg, "\n")
	first, _, _ = strings.Cut(first, " (but have ") // text replaces it
	if more {
		rest = "\n" + rest
	}
	return first + " (" + text + ")" + rest
}

// pathTo returns the nodes that contain a position, innermost first.
func pathTo(files []*ast.File, pos token.Pos) []ast.Node {
	var path []ast.Node
	for _, f := range files {
		if pos < f.FileStart || pos > f.FileEnd {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil || pos < n.Pos() || pos >= n.End() {
				return false
			}
			path = append([]ast.Node{n}, path...)
			return true
		})
	}
	return path
}

// around returns the innermost node of type N that contains the error's position.
func around[N ast.Node](q question) (n N, ok bool) {
	for _, x := range q.path {
		if n, ok = x.(N); ok {
			return n, true
		}
	}
	return n, false
}

// foreignNames maps names of other languages to their counterparts in Go.
var foreignNames = map[string]string{
	"null": "nil", "NULL": "nil", "None": "nil", "nullptr": "nil", "undefined": "nil", "Nil": "nil",
	"True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
	"self": "the name of the method's receiver", "this": "the name of the method's receiver",
	"printf": "fmt.Printf", "puts": "fmt.Println", "echo": "fmt.Println", "sprintf": "fmt.Sprintf", "str": "fmt.Sprint", "input": "fmt.Scanln",
	"float": "float64", "double": "float64", "boolean": "bool", "char": "byte", "integer": "int", "String": "string",
	"foreach": "for",
}

func (q question) undefined() string {
	name := strings.TrimPrefix(q.msg, "undefined: ")
	name, _, _ = strings.Cut(name, " (but have ")
	if pkg, member, ok := strings.Cut(name, "."); ok {
		return q.packageMember(pkg, member)
	}
	if name == "Out" || name == "In" {
		return q.numbered(name)
	}
	if other := foreignNames[name]; other != "" && !q.isKnown(other) {
		return didYouMean(other)
	}
	if text := q.untypedParameter(); text != "" {
		return text
	}
	if a, ok := around[*ast.AssignStmt](q); ok && a.Tok == token.ASSIGN {
		for _, x := range a.Lhs {
			if id, ok := x.(*ast.Ident); ok && id.Pos() == q.pos {
				if near := spelling.Closest(name, q.inScope()); near != "" {
					return didYouMean(near)
				}
				return name + " := … declares it"
			}
		}
	}
	declared, packages := q.Names()
	if text := q.foreign(name); text != "" {
		return text
	}
	near := spelling.Closest(name, append(q.inScope(), declared...))
	if sel, ok := around[*ast.SelectorExpr](q); ok && near == "" && sel.X.Pos() == q.pos {
		near = spelling.Closest(name, packages)
	}
	return didYouMean(near)
}

// numbered explains errors about Out and In, which are not variables.
func (q question) numbered(name string) string {
	x, ok := around[*ast.IndexExpr](q)
	if !ok || x.X.Pos() != q.pos {
		return name + " needs the number of a cell, as in " + name + "[3]"
	}
	if n, ok := x.Index.(*ast.BasicLit); ok && n.Kind == token.INT {
		if name == "Out" {
			return "cell " + n.Value + " did not show a single value"
		}
		return "there is no cell " + n.Value
	}
	return "its index must be a literal number, as in " + name + "[3]"
}

// isKnown reports whether other, a suggestion, is the undefined name itself.
func (q question) isKnown(other string) bool { return "undefined: "+other == q.msg }

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean " + name + "?"
}

// inScope lists the names that are in scope at the error's position.
func (q question) inScope() []string {
	var list []string
	for s := q.Pkg.Scope().Innermost(q.pos); s != nil; s = s.Parent() {
		for _, name := range s.Names() {
			obj := s.Lookup(name)
			if isLocal := s != q.Pkg.Scope() && obj.Pkg() == q.Pkg; isLocal && obj.Pos() > q.pos || strings.Contains(name, mangle.Mark) {
				continue
			}
			list = append(list, name)
		}
	}
	return list
}

func (q question) packageMember(name, member string) string {
	sel, ok := around[*ast.SelectorExpr](q)
	if !ok {
		return ""
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	if !ok || id.Name != name {
		return ""
	}
	pn, ok := q.Info.Uses[id].(*types.PkgName)
	if !ok {
		return ""
	}
	return didYouMean(spelling.Closest(member, exported(pn.Imported())))
}

func exported(pkg *types.Package) []string {
	var list []string
	for _, name := range pkg.Scope().Names() {
		if token.IsExported(name) {
			list = append(list, name)
		}
	}
	return list
}

// member explains errors about a field or method that a type does not have.
func (q question) member() string {
	sel, ok := around[*ast.SelectorExpr](q)
	if !ok {
		return ""
	}
	t := q.Info.TypeOf(sel.X)
	if t == nil {
		return ""
	}
	name, x := sel.Sel.Name, types.ExprString(sel.X)
	if near := spelling.Closest(name, q.members(t)); near != "" {
		if strings.Contains(q.msg, "but does have ") {
			return "" // the message already names it
		}
		return didYouMean(near)
	}
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Array, *types.Map, *types.Chan:
		return q.containerMember(u, name, x)
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			if isLength(name) {
				return "len(" + x + ") is its length in bytes"
			}
			return q.stringMember(name, x)
		}
	}
	return ""
}

// stringMember explains errors about a method of a string.
func (q question) stringMember(name, x string) string {
	arg := "…"
	if call, ok := around[*ast.CallExpr](q); ok && len(call.Args) > 0 {
		arg = types.ExprString(call.Args[0])
	}
	switch name { // the methods of other languages have names in lower case
	case "join":
		return "did you mean strings.Join(" + arg + ", " + x + ")?"
	case "format":
		return `did you mean fmt.Sprintf("… %v …", ` + arg + ")?"
	}
	return q.function("strings", name, x)
}

func isLength(name string) bool {
	switch strings.ToLower(name) {
	case "len", "length", "size", "count":
		return true
	}
	return false
}

func (q question) containerMember(t types.Type, name, x string) string {
	if isLength(name) {
		return "len(" + x + ") is its length"
	}
	switch u := t.(type) {
	case *types.Slice:
		switch strings.ToLower(name) {
		case "append", "push", "add", "push_back":
			return x + " = append(" + x + ", …) adds to it"
		case "extend", "addall":
			return x + " = append(" + x + ", ys...) adds the elements of ys"
		case "pop":
			return x + "[len(" + x + ")-1] is the last element, " + x + " = " + x + "[:len(" + x + ")-1] removes it"
		case "remove", "filter":
			return "did you mean " + x + " = slices.DeleteFunc(" + x + ", …)?"
		case "foreach", "each", "reduce":
			return "for i, x := range " + x + " visits all elements"
		}
		return q.function("slices", name, x)
	case *types.Map:
		switch strings.ToLower(name) {
		case "get", "has", "contains", "containskey":
			return "v, ok := " + x + "[key] looks up a key"
		case "delete", "remove":
			return "delete(" + x + ", key) removes an entry"
		case "items", "entries":
			return "for k, v := range " + x + " visits all elements"
		}
		if text := q.function("maps", name, x); text != "" || info(u.Key())&types.IsString == 0 {
			return text
		}
		return "write " + x + "[" + strconv.Quote(name) + "]"
	}
	return ""
}

// function suggests a call of a package's function in place of a method call x.name, as
// other languages write it.
func (q question) function(path, name, x string) string {
	sel, ok := around[*ast.SelectorExpr](q)
	if q.Import == nil || !ok {
		return ""
	}
	pkg := q.Import(path)
	if pkg == nil {
		return ""
	}
	for _, known := range exported(pkg) {
		if sameName(known, name) {
			if f, ok := pkg.Scope().Lookup(known).(*types.Func); ok {
				params, arguments := f.Signature().Params(), x
				if f.Signature().TypeParams() == nil && (params.Len() == 0 || !types.AssignableTo(types.Default(q.Info.TypeOf(sel.X)), params.At(0).Type())) {
					continue
				}
				if params.Len() > 1 {
					arguments += ", …"
				}
				return "did you mean " + path + "." + known + "(" + arguments + ")?"
			}
		}
	}
	return ""
}

// sameName reports whether the Go function known is the counterpart of a method name of another language.
func sameName(known, name string) bool {
	if other, ok := map[string]string{"upper": "ToUpper", "lower": "ToLower", "strip": "TrimSpace", "startswith": "HasPrefix", "endswith": "HasSuffix", "find": "Index", "trim": "TrimSpace", "includes": "Contains", "touppercase": "ToUpper", "tolowercase": "ToLower"}[strings.ToLower(strings.ReplaceAll(name, "_", ""))]; ok {
		return known == other
	}
	return strings.EqualFold(known, strings.ReplaceAll(name, "_", ""))
}

// members lists the fields and methods of a type.
func (q question) members(t types.Type) []string {
	var list []string
	seen := map[types.Type]bool{}
	var fields func(t types.Type)
	fields = func(t types.Type) {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok || seen[t] {
			return
		}
		seen[t] = true
		for f := range st.Fields() {
			if f.Exported() || f.Pkg() == q.Pkg {
				list = append(list, f.Name())
			}
			if f.Embedded() {
				fields(f.Type())
			}
		}
	}
	fields(t)
	if _, ok := t.Underlying().(*types.Pointer); !ok && !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	ms := types.NewMethodSet(t)
	for i := range ms.Len() {
		if m := ms.At(i).Obj(); m.Exported() || m.Pkg() == q.Pkg {
			list = append(list, m.Name())
		}
	}
	return list
}

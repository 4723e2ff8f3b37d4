package advice

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

func (q question) typeText(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == q.Pkg {
			return ""
		}
		return p.Name()
	})
}

func info(t types.Type) types.BasicInfo {
	if t == nil {
		return 0
	}
	if b, ok := t.Underlying().(*types.Basic); ok {
		return b.Info()
	}
	return 0
}

func isUntyped(t types.Type) bool { return info(t)&types.IsUntyped != 0 }

// mismatch explains errors about an operation on values of two types.
func (q question) mismatch() string {
	var x, y ast.Expr
	if b, ok := q.binary(); ok {
		x, y = b.X, b.Y
	} else if a, ok := around[*ast.AssignStmt](q); ok && len(a.Lhs) == 1 && len(a.Rhs) == 1 {
		x, y = a.Lhs[0], a.Rhs[0]
	} else {
		return ""
	}
	tx, ty := q.Info.TypeOf(x), q.Info.TypeOf(y)
	if tx == nil || ty == nil {
		return ""
	}
	if isNilType(tx) || isNilType(ty) {
		t := tx
		if isNilType(tx) {
			t = ty
		}
		return "a value of type " + q.typeText(t) + " is never nil"
	}
	if op, ok := q.binary(); ok {
		if text := q.repeated(op.Op, x, y); text != "" {
			return text
		}
		if text := q.chained(x, y, op.Op); text != "" {
			return text
		}
		if op.Op == token.LAND || op.Op == token.LOR {
			return q.truth(x)
		}
		if op.Op != token.ADD && !isOrder(op.Op) && (info(tx)|info(ty))&types.IsString != 0 {
			return ""
		}
	}
	ix, iy := info(tx), info(ty)
	switch {
	case ix&types.IsString != 0 && iy&types.IsNumeric != 0:
		if text := q.character(ty, x); text != "" {
			return text
		}
		return "fmt.Sprint(" + types.ExprString(y) + ") makes a string of it"
	case iy&types.IsString != 0 && ix&types.IsNumeric != 0:
		if text := q.character(tx, y); text != "" {
			return text
		}
		return "fmt.Sprint(" + types.ExprString(x) + ") makes a string of it"
	case ix&types.IsNumeric != 0 && iy&types.IsNumeric != 0 && !isUntyped(tx) && !isUntyped(ty):
		return q.convertOne(x, y, tx, ty)
	case types.IsInterface(tx) && !types.IsInterface(ty), types.IsInterface(ty) && !types.IsInterface(tx):
		return q.assertOne(x, y, tx, ty)
	}
	return ""
}

// binary returns the innermost binary operation that the error's position belongs to: its beginning, its operator or its second
// operand.
func (q question) binary() (*ast.BinaryExpr, bool) {
	for _, n := range q.path {
		if b, ok := n.(*ast.BinaryExpr); ok && (b.Pos() == q.pos || b.OpPos == q.pos || b.Y.Pos() == q.pos) {
			return b, true
		}
	}
	return nil, false
}

func isNilType(t types.Type) bool { return t == types.Typ[types.UntypedNil] }

// convertOne suggests a conversion of one number to the type of the other: to the
// defined type, or else to the floating-point type.
func (q question) convertOne(x, y ast.Expr, tx, ty types.Type) string {
	toX := !isBasic(tx) && isBasic(ty) || isBasic(tx) == isBasic(ty) && info(tx)&types.IsFloat != 0 && info(ty)&types.IsFloat == 0
	if toX {
		return fmt.Sprintf("%s(%s) converts it", q.typeText(tx), types.ExprString(y))
	}
	return fmt.Sprintf("%s(%s) converts it", q.typeText(ty), types.ExprString(x))
}

func isBasic(t types.Type) bool {
	_, ok := t.(*types.Basic)
	return ok
}

func (q question) assertOne(x, y ast.Expr, tx, ty types.Type) string {
	if types.IsInterface(ty) {
		x, ty = y, tx
	}
	return fmt.Sprintf("%s.(%s) is its value if it has this type", types.ExprString(x), q.typeText(types.Default(ty)))
}

// conversion explains errors about a value of the wrong type.
func (q question) conversion() string {
	x, ok := q.exprAt()
	if !ok {
		return ""
	}
	t := q.Info.TypeOf(x)
	_, rest, _ := strings.Cut(q.msg, ") as ")
	want, rest, _ := strings.Cut(rest, " value in ")
	if t == nil || want == "" {
		return ""
	}
	text := types.ExprString(x)
	if slice, ok := t.Underlying().(*types.Slice); ok && strings.HasSuffix(q.msg, " in argument to append") && q.typeText(slice.Elem()) == want {
		return text + "... appends its elements"
	}
	_, isLiteral := ast.Unparen(x).(*ast.CompositeLit)
	switch {
	case strings.Contains(q.msg, "has pointer receiver"):
		if isLiteral {
			return "write &" + text
		}
		return "the method belongs to the pointer: write &" + text
	case strings.Contains(rest, "does not implement"):
		return ""
	case want == "*"+q.typeText(t):
		if isLiteral {
			return "write &" + text
		}
		return "&" + text + " is its address"
	case q.typeText(t) == "*"+want:
		return "*" + text + " is the value that it points to"
	}
	if v := q.Info.Types[x].Value; v != nil && isUntyped(t) {
		if want == "time.Duration" {
			return milliseconds(v)
		}
		return constantText(v, want)
	}
	return q.scalarConversion(text, t, want)
}

// constantText suggests removing or adding the quotation marks of a constant.
func constantText(v constant.Value, want string) string {
	switch v.Kind() {
	case constant.String:
		if text := constant.StringVal(v); want != "string" && constant.MakeFromLiteral(text, token.FLOAT, 0).Kind() != constant.Unknown {
			return "write " + text + ", without quotation marks"
		}
	case constant.Int, constant.Float:
		if want == "string" {
			return "write " + strconv.Quote(v.String())
		}
	}
	return ""
}

// parse explains errors about the conversion of a string to a number.
func (q question) parse() string {
	if x, ok := q.exprAt(); ok && q.Info.Types[x].Value != nil {
		if _, name, ok := strings.Cut(q.msg, " to type "); ok && isNumber(name) {
			return constantText(q.Info.Types[x].Value, name)
		}
		return ""
	}
	return "strconv.Atoi and strconv.ParseFloat read numbers"
}

// isNumber reports whether the predeclared type of this name is a numeric type.
func isNumber(name string) bool {
	obj, ok := types.Universe.Lookup(name).(*types.TypeName)
	return ok && info(obj.Type())&types.IsNumeric != 0
}

// scalarConversion suggests a conversion of a number, a string or an interface to the type want.
func (q question) scalarConversion(text string, t types.Type, want string) string {
	target, _ := types.Universe.Lookup(want).(*types.TypeName)
	if target == nil {
		if info(t)&types.IsNumeric != 0 && !isUntyped(t) && strings.HasSuffix(want, ".Duration") {
			return want + "(" + text + ") converts it"
		}
		return ""
	}
	have, wanted := info(t), info(target.Type())
	switch {
	case have&types.IsString != 0 && wanted&types.IsInteger != 0:
		return "strconv.Atoi reads a number"
	case have&types.IsString != 0 && wanted&types.IsFloat != 0:
		return "strconv.ParseFloat reads a number"
	case have&types.IsNumeric != 0 && wanted&types.IsString != 0:
		return "fmt.Sprint(" + text + ") makes a string of it"
	case have&types.IsNumeric != 0 && wanted&types.IsNumeric != 0 && !isUntyped(t):
		return want + "(" + text + ") converts it"
	case types.IsInterface(t):
		return text + ".(" + want + ") is its value if it has this type"
	}
	return ""
}

// exprAt returns the outermost expression that begins at the error's position.
func (q question) exprAt() (ast.Expr, bool) {
	for i := len(q.path) - 1; i >= 0; i-- {
		if x, ok := q.path[i].(ast.Expr); ok && x.Pos() == q.pos {
			if _, isType := q.Info.Types[x]; isType {
				return x, true
			}
		}
	}
	return nil, false
}

// truncated explains errors about a fractional constant in an operation on integers.
func (q question) truncated() string {
	for _, n := range q.path {
		b, ok := n.(*ast.BinaryExpr)
		if !ok {
			continue
		}
		other := b.X
		if b.X.Pos() <= q.pos && q.pos < b.X.End() {
			other = b.Y
		}
		if t := q.Info.TypeOf(other); info(t)&types.IsInteger != 0 && !isUntyped(t) {
			return "float64(" + types.ExprString(other) + ") computes with fractions"
		}
	}
	return ""
}

// results explains errors about a call that has more results than there are variables.
func (q question) results() string {
	var names []string
	var values []ast.Expr
	define := "="
	if a, ok := around[*ast.AssignStmt](q); ok {
		define, values = a.Tok.String(), a.Rhs
		for _, x := range a.Lhs {
			names = append(names, types.ExprString(x))
		}
	} else if v, ok := around[*ast.ValueSpec](q); ok {
		values = v.Values
		for _, id := range v.Names {
			names = append(names, id.Name)
		}
	}
	if len(values) == len(names)+1 {
		return grouped(values)
	}
	if len(values) != 1 {
		return ""
	}
	tuple, ok := q.Info.TypeOf(values[0]).(*types.Tuple)
	if !ok || len(names) >= tuple.Len() {
		return ""
	}
	for i := len(names); i < tuple.Len(); i++ {
		if i == tuple.Len()-1 && types.Identical(tuple.At(i).Type(), types.Universe.Lookup("error").Type()) {
			names = append(names, "err")
		} else {
			names = append(names, "_")
		}
	}
	return "write " + strings.Join(names, ", ") + " " + define + " " + types.ExprString(values[0])
}

func (q question) unused() string {
	name := strings.TrimPrefix(q.msg, "declared and not used: ")
	if r, ok := around[*ast.RangeStmt](q); ok && r.Key != nil && r.Key.Pos() == q.pos && r.Value != nil {
		return "write _ in its place"
	}
	return "use it, remove it, or write _ = " + name
}

// condition explains errors about a condition x that is not a bool.
func (q question) condition() string {
	x, ok := q.exprAt()
	if !ok {
		return ""
	}
	return q.truth(x)
}

// assignment explains errors about an assignment to a constant or to a byte of a string.
func (q question) assignment() string {
	x, ok := q.exprAt()
	if !ok {
		return ""
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		if _, ok := q.Info.Uses[x].(*types.Const); ok {
			return x.Name + " is a constant: declare it with var instead"
		}
	case *ast.IndexExpr:
		if t := q.Info.TypeOf(x.X); info(t)&types.IsString != 0 {
			return "a string cannot be changed, but a slice of bytes can: b := []byte(" + types.ExprString(x.X) + ")"
		}
	}
	return ""
}

// notUsed explains errors about an expression that is used as a statement.
func (q question) notUsed() string {
	x, ok := q.exprAt()
	if !ok {
		return ""
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.CallExpr:
		if id, ok := x.Fun.(*ast.Ident); ok && id.Name == "append" && len(x.Args) > 0 {
			return types.ExprString(x.Args[0]) + " = " + types.ExprString(x) + " keeps the result"
		}
	case *ast.BinaryExpr:
		if x.Op == token.EQL {
			return "= assigns, == compares"
		}
	}
	return ""
}

// notFunction explains errors about a call of a value that is not a function.
func (q question) notFunction() string {
	call, ok := around[*ast.CallExpr](q)
	if !ok {
		return ""
	}
	text := types.ExprString(call.Fun)
	if tv := q.Info.Types[call.Fun]; tv.Value != nil {
		return text + " is a constant: write it without ()"
	}
	if len(call.Args) == 0 {
		return text + " is not a function: write it without ()"
	}
	switch q.Info.TypeOf(call.Fun).Underlying().(type) {
	case *types.Slice, *types.Array, *types.Map:
		return "an element is " + text + "[…]"
	}
	return ""
}

// returns explains errors about a value after return in a function that declares no result.
func (q question) returns() string {
	for _, n := range q.path {
		switch n := n.(type) {
		case *ast.FuncLit:
			if n.Type.Results == nil {
				return "the function declares no result: write the result's type after the parameters"
			}
			return ""
		case *ast.FuncDecl:
			if n.Type.Results == nil {
				return "the function declares no result: write the result's type after the parameters"
			}
			return ""
		}
	}
	return ""
}

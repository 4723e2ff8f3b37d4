package advice

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
	"unicode/utf8"
)

// power explains errors about x ** y, which Go reads as x * (*y).
func (q question) power() string {
	for _, n := range q.path {
		b, ok := n.(*ast.BinaryExpr)
		if !ok || b.Op != token.MUL {
			continue
		}
		if star, ok := b.Y.(*ast.StarExpr); ok && star.Pos() == b.OpPos+1 {
			return q.pow(b.X, star.X)
		}
	}
	return ""
}

// pow suggests a call of math.Pow.
func (q question) pow(x, y ast.Expr) string {
	return "math.Pow(" + q.asFloat(x) + ", " + q.asFloat(y) + ") is the power"
}

// asFloat returns the source of an expression as an argument of a function of package math.
func (q question) asFloat(x ast.Expr) string {
	if t := q.Info.TypeOf(x); info(t)&types.IsNumeric != 0 && !isUntyped(t) && !types.Identical(t, types.Typ[types.Float64]) {
		return "float64(" + types.ExprString(x) + ")"
	}
	return types.ExprString(x)
}

// repeated suggests the function for the operator * or % between a string or a slice and another value, or "".
func (q question) repeated(op token.Token, x, y ast.Expr) string {
	tx, ty := q.Info.TypeOf(x), q.Info.TypeOf(y)
	if op == token.REM && info(tx)&types.IsString != 0 {
		return "fmt.Sprintf(" + types.ExprString(x) + ", " + types.ExprString(y) + ") formats it"
	}
	if op != token.MUL {
		return ""
	}
	if info(tx)&types.IsNumeric != 0 {
		x, y, tx, ty = y, x, ty, tx
	}
	_, isSlice := tx.Underlying().(*types.Slice)
	switch {
	case info(ty)&types.IsInteger == 0 && !isUntyped(ty):
		return ""
	case info(tx)&types.IsString != 0:
		return "strings.Repeat(" + types.ExprString(x) + ", " + types.ExprString(y) + ") repeats it"
	case isSlice:
		return "slices.Repeat(" + types.ExprString(x) + ", " + types.ExprString(y) + ") repeats it"
	}
	return ""
}

// chained explains errors about a < b < c, or returns "".
func (q question) chained(x, y ast.Expr, op token.Token) string {
	inner, ok := ast.Unparen(x).(*ast.BinaryExpr)
	if !ok || !isOrder(op) || !isOrder(inner.Op) || (op == token.EQL) != (inner.Op == token.EQL) {
		return ""
	}
	middle := types.ExprString(inner.Y)
	return fmt.Sprintf("write %s %s %s && %s %s %s", types.ExprString(inner.X), inner.Op, middle, middle, op, types.ExprString(y))
}

func isOrder(op token.Token) bool {
	switch op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ, token.EQL, token.NEQ:
		return true
	}
	return false
}

// character suggests single quotation marks for a string of one character that is compared with or added to a number, or "".
func (q question) character(number types.Type, text ast.Expr) string {
	v := q.Info.Types[text].Value
	basic, ok := number.Underlying().(*types.Basic)
	if v == nil || !ok || basic.Kind() != types.Uint8 && basic.Kind() != types.Int32 && basic.Kind() != types.UntypedRune {
		return ""
	}
	if s := constant.StringVal(v); utf8.RuneCountInString(s) == 1 {
		return fmt.Sprintf("write %q, with single quotation marks", []rune(s)[0])
	}
	return ""
}

// undefinedOperator explains errors about an operator that values of a type do not have.
func (q question) undefinedOperator() string {
	if u, ok := around[*ast.UnaryExpr](q); ok && u.Op == token.NOT && u.X.Pos() == q.pos {
		return q.zero(u.X)
	}
	b, ok := q.binary()
	if !ok {
		return ""
	}
	x, y := types.ExprString(b.X), types.ExprString(b.Y)
	tx := q.Info.TypeOf(b.X)
	if tx == nil {
		return ""
	}
	_, isSlice := tx.Underlying().(*types.Slice)
	switch {
	case b.Op == token.ADD && isSlice:
		return "slices.Concat(" + x + ", " + y + ") joins them"
	case b.Op == token.XOR && info(tx)&types.IsFloat != 0:
		return q.pow(b.X, b.Y)
	case b.Op == token.REM && info(tx)&types.IsFloat != 0:
		return "math.Mod(" + q.asFloat(b.X) + ", " + q.asFloat(b.Y) + ") is the remainder"
	case b.Op == token.LAND || b.Op == token.LOR:
		return q.truth(b.X)
	}
	return ""
}

// zero returns the source of a condition that is true if x is zero or empty. x is not a bool.
func (q question) zero(x ast.Expr) string {
	text := q.truth(x)
	text = strings.Replace(text, " != ", " == ", 1)
	return strings.Replace(text, " > 0", " == 0", 1)
}

// truth returns the source of a condition that is true if x is neither zero nor empty. x is not a bool.
func (q question) truth(x ast.Expr) string {
	t, text := q.Info.TypeOf(x), types.ExprString(x)
	if t == nil {
		return ""
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsNumeric != 0:
			return "write " + text + " != 0"
		case u.Info()&types.IsString != 0:
			return "write " + text + ` != ""`
		}
	case *types.Slice, *types.Map:
		return "write len(" + text + ") > 0"
	case *types.Pointer, *types.Interface, *types.Signature, *types.Chan:
		return "write " + text + " != nil"
	}
	return ""
}

// comparison explains errors about the comparison of slices, maps and functions.
func (q question) comparison() string {
	b, ok := q.binary()
	if !ok {
		return ""
	}
	x, y := types.ExprString(b.X), types.ExprString(b.Y)
	not := ""
	if b.Op == token.NEQ {
		not = "!"
	}
	t := q.Info.TypeOf(b.X)
	if t == nil {
		return ""
	}
	pkg, comparable := "", false
	switch u := t.Underlying().(type) {
	case *types.Slice:
		pkg, comparable = "slices", types.Comparable(u.Elem())
	case *types.Map:
		pkg, comparable = "maps", types.Comparable(u.Elem())
	case *types.Struct, *types.Array:
	default:
		return ""
	}
	if !comparable {
		pkg = "reflect.Deep"
	} else {
		pkg += "."
	}
	return "write " + not + pkg + "Equal(" + x + ", " + y + ")"
}

// negativeIndex explains errors about a negative index, which counts from the end in Python.
func (q question) negativeIndex() string {
	for _, n := range q.path {
		var x, index ast.Expr
		switch n := n.(type) {
		case *ast.IndexExpr:
			x, index = n.X, n.Index
		case *ast.SliceExpr:
			x, index = n.X, n.Low
			if n.High != nil && n.High.Pos() == q.pos {
				index = n.High
			}
		}
		if index == nil || index.Pos() != q.pos {
			continue
		}
		if v := q.Info.Types[index].Value; v != nil && v.Kind() == constant.Int {
			return fmt.Sprintf("the index counted from the end is len(%s)%s", types.ExprString(x), v)
		}
	}
	return ""
}

// unordered explains errors about max and min of a slice.
func (q question) unordered() string {
	call, ok := around[*ast.CallExpr](q)
	if !ok || len(call.Args) != 1 {
		return ""
	}
	id, ok := call.Fun.(*ast.Ident)
	t := q.Info.TypeOf(call.Args[0])
	if !ok || t == nil {
		return ""
	}
	if _, isSlice := t.Underlying().(*types.Slice); !isSlice || id.Name != "max" && id.Name != "min" {
		return ""
	}
	return fmt.Sprintf("slices.%s(%s) takes a slice", strings.ToUpper(id.Name[:1])+id.Name[1:], types.ExprString(call.Args[0]))
}

// milliseconds suggests a duration for a constant of seconds with a fraction.
func milliseconds(seconds constant.Value) string {
	if kind := seconds.Kind(); kind != constant.Float {
		return ""
	}
	ms := constant.BinaryOp(seconds, token.MUL, constant.MakeInt64(1000))
	if n, ok := constant.Int64Val(constant.ToInt(ms)); ok {
		return fmt.Sprintf("%d * time.Millisecond is this number of seconds", n)
	}
	return "time.Duration(x * float64(time.Second)) is x seconds"
}

// grouped explains the comma in a number such as 1,000, which separates two values.
func grouped(values []ast.Expr) string {
	for i := range len(values) - 1 {
		a, ok := values[i].(*ast.BasicLit)
		b, ok2 := values[i+1].(*ast.BasicLit)
		if ok && ok2 && a.Kind == token.INT && b.Kind == token.INT && len(b.Value) == 3 && b.Pos() == a.End()+1 {
			return "the digits of a number are grouped by an underscore: " + a.Value + "_" + b.Value
		}
	}
	return ""
}

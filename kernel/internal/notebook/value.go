package notebook

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"math"
	"strconv"
	"strings"
	"time"
)

// parse converts the text of a parameter to a Go expression of type t.
func (s *parameterScope) parse(text string, t types.Type) (string, error) {
	if slice, ok := t.Underlying().(*types.Slice); ok {
		if _, nested := slice.Elem().Underlying().(*types.Slice); !nested {
			return s.slice(text, t, slice.Elem())
		}
	}
	if isDuration(t) {
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil {
			return "", errExpected("a duration such as 1.5s or 300ms", text)
		}
		return durationExpr(d), nil
	}
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsConstType != 0 {
		return basic(text, b)
	}
	return "", errNotSettable(s.typeName(t))
}

func errNotSettable(typ string) error {
	return fmt.Errorf("values of type %s cannot be set: a parameter is a number that is not complex, a bool, string, "+
		"time.Duration, or a slice of one of these", typ)
}

func errExpected(what, got string) error {
	return fmt.Errorf("the value must be %s, not %q", what, got)
}

func isDuration(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Duration"
}

// durationExpr returns an expression for d in the largest unit that divides it.
func durationExpr(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{
		{"Hour", time.Hour}, {"Minute", time.Minute}, {"Second", time.Second},
		{"Millisecond", time.Millisecond}, {"Microsecond", time.Microsecond},
	}
	for _, u := range units {
		if d != 0 && d%u.size == 0 {
			return fmt.Sprintf("%d * time.%s", d/u.size, u.name)
		}
	}
	return strconv.FormatInt(int64(d), 10)
}

// intSizes has the sizes of the integer types in bits. The sizes of int and uint are those of
// the platforms that the kernel supports.
var intSizes = map[types.BasicKind]int{
	types.Int: 64, types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64,
	types.Uint: 64, types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Uint64: 64, types.Uintptr: 64,
}

func basic(text string, b *types.Basic) (string, error) {
	word := strings.TrimSpace(text)
	switch info := b.Info(); {
	case info&types.IsString != 0:
		return strconv.Quote(text), nil
	case info&types.IsBoolean != 0:
		v, err := strconv.ParseBool(word)
		if err != nil {
			return "", errExpected("true or false", text)
		}
		return strconv.FormatBool(v), nil
	case info&types.IsUnsigned != 0:
		v, err := strconv.ParseUint(word, 0, intSizes[b.Kind()])
		if err != nil {
			return "", errNotNumber(err, "a number of type "+b.Name()+" (0 or more)", text)
		}
		return strconv.FormatUint(v, 10), nil
	case info&types.IsInteger != 0:
		v, err := strconv.ParseInt(word, 0, intSizes[b.Kind()])
		if err != nil {
			return "", errNotNumber(err, "a whole number of type "+b.Name(), text)
		}
		return strconv.FormatInt(v, 10), nil
	case info&types.IsFloat != 0:
		return float(word, b)
	}
	return "", errNotSettable(b.Name())
}

func float(text string, b *types.Basic) (string, error) {
	bits := 64
	if b.Kind() == types.Float32 {
		bits = 32
	}
	v, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return "", errNotNumber(err, "a number such as 0.5 or 1e6", text)
	}
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "", errExpected("a finite number", text)
	}
	return strconv.FormatFloat(v, 'g', -1, bits), nil
}

func errNotNumber(err error, what, text string) error {
	if errors.Is(err, strconv.ErrRange) {
		what += " within its range"
	}
	return errExpected(what, text)
}

// slice parses a list such as 1,2,4 or a Go literal such as []int{1, 2, 4}. Strings with
// commas need a literal.
func (s *parameterScope) slice(text string, t, elem types.Type) (string, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[]") || strings.HasPrefix(text, s.typeName(t)+"{") {
		return s.literal(text, t)
	}
	var exprs []string
	if text != "" {
		for i, word := range strings.Split(text, ",") {
			expr, err := s.parse(strings.TrimSpace(word), elem)
			if err != nil {
				return "", fmt.Errorf("element %d of the %s is invalid: %w", i+1, s.typeName(t), err)
			}
			exprs = append(exprs, expr)
		}
	}
	return s.typeName(t) + "{" + strings.Join(exprs, ", ") + "}", nil
}

// literal accepts a composite literal of constants that can be assigned to t.
func (s *parameterScope) literal(text string, t types.Type) (string, error) {
	example := "a list such as 1,2,4 or a literal of type " + s.typeName(t)
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return "", fmt.Errorf("%w; the syntax is invalid: %w", errExpected(example, text), cellPosition(err, 0))
	}
	lit, ok := expr.(*ast.CompositeLit)
	if !ok {
		return "", errExpected(example, text)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	if err := s.check(lit, info); err != nil {
		return "", fmt.Errorf("%w; the types do not match: %s", errExpected(example, text), typeErrorText(err))
	}
	if !types.AssignableTo(info.TypeOf(lit), t) {
		return "", errExpected(example, text)
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		if v := info.Types[e].Value; v == nil || v.Kind() == constant.Unknown {
			return "", errExpected(example+" whose elements are constants", text)
		}
	}
	return text, nil
}

// check type-checks an expression, which may use package time and the cell's types.
func (s *parameterScope) check(expr ast.Expr, info *types.Info) error {
	tm, err := timeImporter{}.Import("time")
	if err != nil {
		return err
	}
	for _, p := range s.pkg.Imports() {
		if p.Path() == "time" {
			tm = p
		}
	}
	pkg := types.NewPackage("literal", "literal")
	pkg.Scope().Insert(types.NewPkgName(token.NoPos, pkg, "time", tm))
	for _, p := range s.variables {
		if named, ok := elementType(p.Type).(*types.Named); ok && named.Obj().Pkg() == s.pkg {
			pkg.Scope().Insert(types.NewTypeName(token.NoPos, pkg, named.Obj().Name(), named))
		}
	}
	return types.CheckExpr(token.NewFileSet(), pkg, token.NoPos, expr, info)
}

func elementType(t types.Type) types.Type {
	if slice, ok := types.Unalias(t).(*types.Slice); ok {
		t = slice.Elem()
	}
	return types.Unalias(t)
}

func typeErrorText(err error) string {
	var te types.Error
	if errors.As(err, &te) {
		return te.Msg
	}
	return err.Error()
}

// cellPosition subtracts before from the line of a syntax error. before is the number of
// lines that were put in front of the cell's text.
func cellPosition(err error, before int) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return err
	}
	e := list[0]
	return fmt.Errorf("line %d, column %d: %s", e.Pos.Line-before, e.Pos.Column, e.Msg)
}

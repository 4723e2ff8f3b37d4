package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shop = `
-- go.mod --
module example.com/shop

go 1.26
-- notebooks/x.txt --
-- price/price.go --
package price

import "fmt"

var Started int

func init() { Started++ }

type Money int

func (m Money) String() string { return fmt.Sprintf("%d EUR", int(m)) }

var table = map[string]Money{"tea": 2}

func Of(what string) Money { return table[what] }
-- cart/cart.go --
package cart

import "example.com/shop/price"

type Cart struct{ items []string }

func New(items ...string) *Cart { return &Cart{items} }

func (c *Cart) Total() (sum price.Money) {
	for _, i := range c.items {
		sum += price.Of(i)
	}
	return sum
}
`

// rewrite replaces text in a file of the notebook's module.
func rewrite(t *testing.T, s *Session, name string, replace ...string) {
	t.Helper()
	file := filepath.Join(s.modules.Dir(), name)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(replace...).Replace(string(b))
	if text == string(b) {
		t.Fatalf("%s has none of %q", name, replace)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s *Session, code, want string) {
	t.Helper()
	if got := show(t, s, code); got != want {
		t.Errorf("%s\nshows\n%s\nwant\n%s", code, got, want)
	}
}

const shopCells = `import ("example.com/shop/price"; "example.com/shop/cart")
m := price.Of("tea")
var s fmt.Stringer = m
of := price.Of
c := cart.New("tea", "tea")
func total() price.Money { return c.Total() + price.Of("tea") }
price.Started = 10`

// TestReload edits function bodies of packages of the notebook's module: values keep
// their types and get the new methods, and functions compiled earlier call the new code.
func TestReload(t *testing.T) {
	s := sessionIn(t, shop)
	expect(t, s, shopCells, "")
	expect(t, s, "fmt.Println(m, s, of(\"tea\"), c.Total(), total(), price.Started)", "[stdout]\n2 EUR 2 EUR 2 EUR 4 EUR 6 EUR 10\n")
	rewrite(t, s, "price/price.go", `"tea": 2`, `"tea": 30`, "%d EUR", "€ %d")
	expect(t, s, "fmt.Println(m, s, of(\"tea\"), c.Total(), total(), price.Started)",
		"[display text/plain]\nreloaded example.com/shop/price, which changed: its variables are initialized again, and values made before have the new methods\n"+
			"[stdout]\n€ 2 € 2 € 30 € 60 € 90 1\n")
	rewrite(t, s, "cart/cart.go", "sum += price.Of(i)", "sum += 1000 * price.Of(i)")
	expect(t, s, "total()",
		"[display text/plain]\nreloaded example.com/shop/cart, which changed: its variables are initialized again, and values made before have the new methods\n"+
			"[result text/plain]\n€ 60030\n")
	rewrite(t, s, "price/price.go", `"tea": 30`, `"tea": 2`, "€ %d", "%d EUR")
	rewrite(t, s, "cart/cart.go", "sum += 1000 * price.Of(i)", "sum += price.Of(i)")
	expect(t, s, "fmt.Println(m, of(\"tea\"), total())",
		"[display text/plain]\nreloaded example.com/shop/cart, example.com/shop/price, which changed: its variables are initialized again, and values made before have the new methods\n"+
			"[stdout]\n2 EUR 2 EUR 6 EUR\n")
	expect(t, s, "import \"github.com/perijove/perijove/lib/mp\"\nfunc say(n int) { fmt.Println(\"child\", price.Money(n), price.Of(\"tea\"), price.Started) }\np, err := mp.Start(context.Background(), mp.Processes, say, 7)\nif err == nil { err = p.Join(context.Background()) }\nerr",
		"[stdout]\nchild 7 EUR 2 EUR 1\n")
}

// TestReloadTypes changes the memory layout of types: older values stay as they are,
// and variables of the old types are reset and reported.
func TestReloadTypes(t *testing.T) {
	s := sessionIn(t, shop)
	expect(t, s, shopCells, "")
	expect(t, s, "type order struct { m price.Money; n int }\nfunc (o order) sum() price.Money { return o.m * price.Money(o.n) }\no := order{m, 3}\nkept := 7\nold := func() string { return fmt.Sprint(o.sum(), s) }", "")
	rewrite(t, s, "price/price.go", "type Money int", "type Money struct{ N float64 }", "int(m)", "int(m.N)", `"tea": 2`, `"tea": {2}`)
	rewrite(t, s, "cart/cart.go", "sum += price.Of(i)", "sum.N += price.Of(i).N")
	got := show(t, s, "fmt.Println(kept, price.Of(\"tea\").N, cart.New(\"tea\").Total(), old())")
	mustContain(t, got, "reloaded example.com/shop/cart, example.com/shop/price, which changed: its variables are initialized again, and its types are new", "7 2 2 EUR 6 EUR 2 EUR")
	mustContain(t, show(t, s, "m"), "reset to the zero value, since the type changed: m", "0 EUR")
	mustContain(t, show(t, s, "total()"), "undefined: total (it no longer compiles: Cell [1] line 6")
	mustContain(t, show(t, s, "o.n = 5\no"), "no longer compiles")
	expect(t, s, "kept", "[result text/plain]\n7\n")
}

// TestReloadBroken saves a file that does not compile: the loaded package stays in use.
func TestReloadBroken(t *testing.T) {
	s := sessionIn(t, shop)
	expect(t, s, shopCells, "")
	rewrite(t, s, "price/price.go", "return table[what]", "return table[what")
	got := show(t, s, "total()")
	mustContain(t, got, "example.com/shop/price changed, but cannot be loaded again; the old code stays", "price/price.go:15", "6 EUR")
	expect(t, s, "total()", "[result text/plain]\n6 EUR\n")
	rewrite(t, s, "price/price.go", "return table[what", "return 2 * table[what]")
	mustContain(t, show(t, s, "total()"), "reloaded example.com/shop/price", "12 EUR")
	rewrite(t, s, "price/price.go", "func Of(", "// Of is the price.\nfunc Of(")
	mustContain(t, show(t, s, "total()"), "12 EUR")
}

// TestWorkspace imports packages of a workspace's modules, and reloads them when they
// change.
func TestWorkspace(t *testing.T) {
	s := sessionIn(t, `
-- go.work --
go 1.26

use ./app
use ./util
-- app/go.mod --
module app.example/app

go 1.26
-- app/app.go --
package app

import "util.example/util"

func Hello() string { return util.Greet("app") }
-- util/go.mod --
module util.example/util

go 1.26
-- util/util.go --
package util

func Greet(who string) string { return "hello " + who }
-- notebooks/x.txt --
`)
	expect(t, s, "import \"app.example/app\"\napp.Hello()", "[result text/plain]\n\"hello app\"\n")
	rewrite(t, s, "util/util.go", "hello ", "good day ")
	mustContain(t, show(t, s, "app.Hello()"), "reloaded util.example/util", "good day app")
}

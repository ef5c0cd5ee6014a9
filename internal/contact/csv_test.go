package contact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// parse reads a whole file as "line:field|field" for good rows and "line!reason" for bad ones.
func parse(t require.TestingT, file io.Reader) []string {
	var got []string
	r := newRows(file)
	next := r.header
	for {
		read, err := next()
		if errors.Is(err, io.EOF) {
			return got
		}
		require.NoError(t, err)
		next = r.next
		if read.reason != "" {
			got = append(got, fmt.Sprintf("%d!%s", read.line, read.reason))
			continue
		}
		got = append(got, fmt.Sprintf("%d:%s", read.line, strings.Join(read.fields, "|")))
	}
}

func utf16le(text string, bom bool) string {
	var out bytes.Buffer
	if bom {
		text = "\uFEFF" + text
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		out.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return out.String()
}

func swap(text string) string {
	raw := []byte(text)
	for i := 0; i+1 < len(raw); i += 2 {
		raw[i], raw[i+1] = raw[i+1], raw[i]
	}
	return string(raw)
}

func TestRowsAreReadAsPeopleMeantThem(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"plain":               {"a,b\n1,2\n", []string{"1:a|b", "2:1|2"}},
		"no last newline":     {"a,b\n1,2", []string{"1:a|b", "2:1|2"}},
		"windows lines":       {"a,b\r\n1,2\r\n", []string{"1:a|b", "2:1|2"}},
		"old mac lines":       {"a,b\r1,2\r", []string{"1:a|b", "2:1|2"}},
		"semicolons":          {"a;b\n1,5;2\n", []string{"1:a|b", "2:1,5|2"}},
		"tabs":                {"a\tb\n1\t2\n", []string{"1:a|b", "2:1|2"}},
		"excel's sep line":    {"sep=;\na;b,c,d\n1;2\n", []string{"2:a|b,c,d", "3:1|2"}},
		"blank lines":         {"\n\na,b\n\n1,2\n  \n3,4\n", []string{"3:a|b", "5:1|2", "7:3|4"}},
		"quotes":              {"a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", []string{"1:a|b", "2:x,y|say \"hi\""}},
		"quoted newline":      {"a,b\n\"x\ny\",2\n3,4\n", []string{"1:a|b", "2:x\ny|2", "4:3|4"}},
		"empty cells":         {"a,b,c\n,,\n1,,3\n", []string{"1:a|b|c", "2:||", "3:1||3"}},
		"spaces round quotes": {"a,b\n \"x\" , 2\n", []string{"1:a|b", "2:x| 2"}},
		"quote inside a word": {"a,b\n5\" pipe,2\n", []string{"1:a|b", "2:5\" pipe|2"}},
		"utf-8 mark":          {"\xef\xbb\xbfa,b\nçã,2\n", []string{"1:a|b", "2:çã|2"}},
		"utf-16 le":           {utf16le("a;b\nJoão;2\n", true), []string{"1:a|b", "2:João|2"}},
		"utf-16 be":           {swap(utf16le("a;b\nJoão;2\n", true)), []string{"1:a|b", "2:João|2"}},
		"utf-16 le, no mark":  {utf16le("a;b\nJoão;2\n", false), []string{"1:a|b", "2:João|2"}},
		"utf-16 be, no mark":  {swap(utf16le("a;b\nJoão;2\n", false)), []string{"1:a|b", "2:João|2"}},
		"windows-1252":        {"a,b\nJo\xe3o \x80,2\n", []string{"1:a|b", "2:João €|2"}},
		"both in one file":    {"a,b\nJo\xe3o,1\nJoão,2\n", []string{"1:a|b", "2:João|1", "3:João|2"}},

		"open quote to the end":       {"a,b\n1,\"two\n3,4\n5,6\n", []string{"1:a|b", "2!" + unclosed, "3:3|4", "4:5|6"}},
		"open quote on the last line": {"a,b\n1,\"two", []string{"1:a|b", "2!" + unclosed}},
		"open quote before another":   {"a,b\n1,\"two\n3,\"four\"\n5,6\n", []string{"1:a|b", "2!" + unclosed, "3:3|four", "4:5|6"}},
		"open quote twice":            {"a,b\n\"1,2\n\"3,4\n5,6\n", []string{"1:a|b", "2!" + unclosed, "3!" + unclosed, "4:5|6"}},
		"text after a quote":          {"a,b\n\"1\"x,2\n3,4\n", []string{"1:a|b", "2!Text follows a closing quote.", "3:3|4"}},
		"open quote over much text": {"a\n\"" + strings.Repeat("x\n", 40_000), append([]string{"1:a", "2!" + unclosed},
			numbered(3, 40_001, "x")...)},
		"a field too long": {"a,b\n" + strings.Repeat("x", longestField+1) + ",2\n3,4\n", []string{"1:a|b", "2!A field is longer than 64 KiB.", "3:3|4"}},
		"a line too long": {"a,b\n" + strings.Repeat("x,", longestLine) + "\n3,4\n",
			[]string{"1:a|b", "2!The line is longer than 1 MiB.", "3:3|4"}},
		"too many columns": {"a,b\n" + strings.Repeat("1,", 200) + "\n3,4\n", []string{"1:a|b", "2!The row has more than 200 columns.", "3:3|4"}},
		"nothing":          {"", nil},
		"only blanks":      {"\n \n\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, parse(t, strings.NewReader(c.file)))
		})
	}
}

func numbered(from, to int, field string) []string {
	var rows []string
	for line := from; line <= to; line++ {
		rows = append(rows, fmt.Sprintf("%d:%s", line, field))
	}
	return rows
}

// Whatever was written is read back, field by field.
func TestWhatIsQuotedIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 5).Draw(t, "width")
		cellOf := rapid.StringOfN(rapid.RuneFrom([]rune("ab\",;\t\n é€'")), 0, 20, -1)
		file, want := strings.Builder{}, []string{}
		file.WriteString(strings.Repeat("h,", width-1) + "h\n")
		for range rapid.IntRange(0, 8).Draw(t, "rows") {
			fields := make([]string, width)
			for i := range fields {
				fields[i] = cellOf.Draw(t, "cell")
				if i > 0 {
					file.WriteByte(',')
				}
				file.WriteString(`"` + strings.ReplaceAll(fields[i], `"`, `""`) + `"`)
			}
			file.WriteByte('\n')
			want = append(want, strings.Join(fields, "|"))
		}
		got := parse(t, strings.NewReader(file.String()))[1:]
		require.Len(t, got, len(want))
		for i := range got {
			_, fields, _ := strings.Cut(got[i], ":")
			require.Equal(t, want[i], fields)
		}
	})
}

// Whatever comes, the reader ends, its lines only grow, its fields are valid text, and a good line far from any
// quote is read.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2", "a\n\"1\n2\n\"3,\"", "\xff\xfea\x00,\x00", "sep=;\n", "a\n\"\"\"\n\"\"\n\"", "\r\r\n\"\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := newRows(bytes.NewReader(file))
		next, count := r.header, 0
		for {
			read, err := next()
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			next = r.next
			count++
			require.LessOrEqual(t, count, len(file)+1, "every row consumes something")
			require.Positive(t, read.line)
			require.Equal(t, read.reason == "", read.fields != nil)
			for _, field := range read.fields {
				require.True(t, utf8.ValidString(field))
			}
		}
	})
}

// hostile is a file of any size that is made while it is read.
type hostile struct {
	pattern []byte
	left    int
	at      int
}

func (h *hostile) Read(buffer []byte) (int, error) {
	if h.left == 0 {
		return 0, io.EOF
	}
	n := min(len(buffer), h.left, 64<<10)
	for i := range n {
		buffer[i] = h.pattern[h.at]
		h.at = (h.at + 1) % len(h.pattern)
	}
	h.left -= n
	return n, nil
}

func TestMemoryStaysFlatWhateverTheFile(t *testing.T) {
	for name, pattern := range map[string]string{
		"one endless line":      "x",
		"one endless quote":     "\"x\n",
		"quotes that never fit": "a,\"b\n\"\"\n",
		"blank lines in quotes": "\"\n\n\n\n\n\n\n\n",
		"plain rows":            "5511990000000,Ana\n",
	} {
		t.Run(name, func(t *testing.T) {
			var before, peak runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			r := newRows(&hostile{pattern: []byte(pattern), left: 5 << 20})
			next, count := r.header, 0
			for {
				_, err := next()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				next = r.next
				if count++; count%50_000 == 0 {
					runtime.GC()
					var now runtime.MemStats
					runtime.ReadMemStats(&now)
					peak.HeapAlloc = max(peak.HeapAlloc, now.HeapAlloc)
				}
			}
			require.Less(t, int64(peak.HeapAlloc)-int64(before.HeapAlloc), int64(24<<20))
		})
	}
}

func TestCellsLoseTheQuoteOfExports(t *testing.T) {
	for given, want := range map[string]string{"'+5511990000000": "+5511990000000", "'=1+1": "=1+1", "O'Neill": "O'Neill", "'quoted'": "'quoted'", " x ": "x", "'": "'"} {
		require.Equal(t, want, cell(given))
	}
}

func TestPhones(t *testing.T) {
	for _, c := range []struct{ raw, region, want string }{
		{"+55 (11) 99000-0100", "", "+5511990000100"},
		{"005511990000100", "", "+5511990000100"},
		{"5511990000100", "", "+5511990000100"},
		{"5511990000100", "BR", "+5511990000100"},
		{"(11) 99000-0100", "BR", "+5511990000100"},
		{"0812-3000-0100", "ID", "+6281230000100"},
		{"+15550001000", "", "+15550001000"},
	} {
		got, err := Phone(c.raw, c.region)
		require.NoError(t, err, c.raw)
		require.Equal(t, c.want, got)
	}
	for _, c := range []struct{ raw, region, says string }{
		{"", "", "empty"}, {"(11) 99000-0100", "", "country code"}, {"99000-0100", "BR", "not a phone"}, {"abc", "BR", "not a phone"},
		{"+1", "", "not a phone"}, {"+999123456789", "", "not a phone"}, {"+5511990000100 ext 5", "", "not a phone"},
		{strings.Repeat("1", 100), "", "not a phone"},
	} {
		_, err := Phone(c.raw, c.region)
		require.ErrorContains(t, err, c.says, c.raw)
	}
}

func TestAttributeNames(t *testing.T) {
	for title, want := range map[string]string{"City": "city", " Last Name ": "last_name", "Endereço (casa)": "endereço_casa", "--": "", "a__b": "a_b",
		strings.Repeat("x", 60): strings.Repeat("x", 40), "já": "já"} {
		got := AttributeName(title)
		require.Equal(t, want, got)
		require.Equal(t, got, AttributeName(got), "a name is its own name")
	}
}

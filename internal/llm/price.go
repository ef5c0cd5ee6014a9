package llm

import (
	_ "embed" // prices are data
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed prices.csv
var priceList string

// Price is what a provider asks for a million tokens, in millionths of a dollar.
type Price struct {
	Provider Provider
	Model    string
	Since    time.Time // the first day, UTC
	Over     int       // only for prompts of more tokens than this
	In, Out  int64
}

var prices = must(readPrices(priceList))

// PriceOf returns the price of a prompt of so many tokens on a day. A model named with its version, such as
// gpt-4o-mini-2024-07-18, has the price of its family. False means that nobody knows: that is not free.
func PriceOf(provider Provider, model string, prompt int, on time.Time) (Price, bool) {
	var found Price
	for _, price := range prices {
		if price.Provider != provider || !isVersion(model, price.Model) || price.Since.After(on) || (price.Over > 0 && prompt <= price.Over) {
			continue
		}
		// The closest name wins, then the latest day, then the higher threshold.
		if len(price.Model) > len(found.Model) || len(price.Model) == len(found.Model) &&
			(price.Since.After(found.Since) || price.Since.Equal(found.Since) && price.Over > found.Over) {
			found = price
		}
	}
	return found, found.Model != ""
}

// isVersion tells whether a model is the family or a version of it: its name goes on with a date or number.
func isVersion(model, family string) bool {
	rest, ok := strings.CutPrefix(model, family)
	return ok && (rest == "" || len(rest) > 1 && rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9')
}

// Cost is what usage costs in millionths of a dollar, rounded up.
func (p Price) Cost(usage Usage) int64 {
	const million = 1_000_000
	return (int64(usage.In)*p.In + int64(usage.Out)*p.Out + million - 1) / million
}

// Worst is what a request can cost at most: every byte a token, and the longest answer that it allows.
func (p Price) Worst(request Request) int64 {
	return p.Cost(Usage{In: 2 * EstimatePrompt(request), Out: request.MostTokens})
}

func readPrices(list string) ([]Price, error) {
	reader := csv.NewReader(strings.NewReader(list))
	reader.Comment, reader.FieldsPerRecord = '#', 6
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the prices: %w", err)
	}
	var read []Price
	for _, row := range rows[1:] {
		price, err := readPrice(row)
		if err != nil {
			return nil, fmt.Errorf("reading the price of %s: %w", row[1], err)
		}
		read = append(read, price)
	}
	return read, nil
}

func readPrice(row []string) (price Price, err error) {
	price = Price{Provider: Provider(row[0]), Model: row[1]}
	if price.Since, err = time.Parse(time.DateOnly, row[2]); err != nil {
		return price, err
	}
	if price.Over, err = strconv.Atoi(row[3]); err != nil {
		return price, err
	}
	if price.In, err = micros(row[4]); err != nil {
		return price, err
	}
	price.Out, err = micros(row[5])
	return price, err
}

// micros reads dollars with up to six decimals, without a float between.
func micros(dollars string) (int64, error) {
	whole, part, _ := strings.Cut(dollars, ".")
	if whole == "" || len(part) > 6 {
		return 0, fmt.Errorf("%q is no number of dollars with up to six decimals", dollars)
	}
	amount, err := strconv.ParseUint(whole+part+strings.Repeat("0", 6-len(part)), 10, 63)
	return int64(amount), err
}

func must(prices []Price, err error) []Price {
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return prices
}

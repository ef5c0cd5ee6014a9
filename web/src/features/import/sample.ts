// A file to try an import with: made-up people in several zones, a number that comes twice, and one that is none.
const people = [
  ["+5511961007001", "Ana Souza", "São Paulo"], ["+5511961007002", "Bruno Lima", "São Paulo"], ["+5511961007003", "Carla Dias", "São Paulo"], ["+5511961007004", "Davi Rocha", "São Paulo"],
  ["+5592983007005", "Elisa Nunes", "Manaus"], ["+5592983007006", "Fábio Reis", "Manaus"], ["+351912007007", "Inês Costa", "Lisboa"], ["+351912007008", "João Faria", "Lisboa"],
  ["+447700907009", "Olivia Hart", "London"], ["+447700907010", "Peter Young", "London"], ["+4915112007011", "Lena Vogt", "Berlin"], ["+4915112007012", "Max Brandt", "Berlin"],
  ["+6281230047013", "Siti Rahma", "Jakarta"], ["+6281230047014", "Budi Santoso", "Jakarta"], ["+6281230047015", "Dewi Lestari", "Jakarta"], ["+12125550116", "Grace Miller", "New York"],
  ["+12125550117", "Henry Clark", "New York"], ["+525512007018", "Lucía Torres", "Ciudad de México"], ["+525512007019", "Mateo Ruiz", "Ciudad de México"], ["+573001007020", "Valeria Gómez", "Bogotá"],
  ["+5511961007001", "Ana S.", "Santos"], ["call the shop", "Nobody", "São Paulo"],
] as const;

export function sampleFile(): File {
  return new File([["phone,name,city", ...people.map((row) => row.join(","))].join("\n")], "sample-contacts.csv", { type: "text/csv" });
}

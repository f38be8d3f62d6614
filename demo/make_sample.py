"""Makes CSV files of an online shop that never was, in the columns of the public Northwind sample.

python demo/make_sample.py FOLDER --lines 10000000 --customers 100000 --products 5000

The same numbers make the same files, on every machine. What real exports hold is there too: NULL written as a word,
names with accents and commas, orders not yet shipped, customers without an order, discounts and old prices.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

CUSTOMERS = "customerID,companyName,contactName,contactTitle,address,city,region,postalCode,country,phone,fax"
PRODUCTS = (
    "productID,productName,supplierID,categoryID,quantityPerUnit,unitPrice,"
    "unitsInStock,unitsOnOrder,reorderLevel,discontinued"
)
ORDERS = (
    "orderID,customerID,employeeID,orderDate,requiredDate,shippedDate,shipVia,freight,"
    "shipName,shipAddress,shipCity,shipRegion,shipPostalCode,shipCountry"
)
ORDER_DETAILS = "orderID,productID,unitPrice,quantity,discount"

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 700
OLD_PRICES_END = 200  # days
UNSHIPPED_AFTER = 640  # days
NULL = "NULL"

PLACES = [  # city, region, postal code, country, street
    ("Münster", NULL, "48143", "Germany", "Rothenburg"),
    ("Łódź", NULL, "90-001", "Poland", "ul. Piotrkowska"),
    ("São Paulo", "SP", "01310-100", "Brazil", "Av. Brigadeiro Luís"),
    ("Besançon", NULL, "25000", "France", "rue de l'Étoile"),
    ("Malmö", "Skåne", "211 22", "Sweden", "Östergatan"),
    ("Córdoba", NULL, "14003", "Spain", "Calle del Ñandú"),
    ("Portland", "OR", "97201", "USA", "Burnside St."),
    ("Galway", "Co. Galway", NULL, "Ireland", "Shop Street"),
]
WORDS = ["Anker", "Brücke", "Ciré", "Düne", "Élan", "Fjord", "Garoa", "Höhle", "Îlot", "Jasmim"]
TRADES = ["Feinkost", "Épicerie", "Mercearia", "Bageri", "Sklep", "Deli, Inc.", "Panadería", "Grocers & Sons"]
PEOPLE = ["Ana Muñoz", "Bjørn Sæther", "Chloé Lefèvre", "Dáithí O'Neill", "Zoë Müller", "Łucja Wójcik", "João Araújo"]
TITLES = ["Owner", "Buyer", "Sales Manager", "Accounting Manager"]
GOODS = ["Crème", "Jalapeño", "Käse", "Gnocchi", "Pâté", "Rødgrød", "Miso", "Chai", "Açaí", "Żurek"]
FORMS = ["jar", "box", "bottle", "tin"]
DISCOUNTS = ["0", "0", "0", "0", "0.05", "0.1", "0.15", "0.25"]


def main(arguments: list[str]) -> None:
    """Write the four files and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the four files go")
    parser.add_argument("--customers", type=int, default=30)
    parser.add_argument("--products", type=int, default=20)
    parser.add_argument("--lines", type=int, default=600, help="order lines; there are three to an order, on average")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)

    rng = Random(chosen.seed)  # noqa: S311 - a sample has to be the same each time
    chosen.folder.mkdir(parents=True, exist_ok=True)
    customers = [build_customer(number, rng) for number in range(chosen.customers)]
    products = [build_product(number, rng) for number in range(1, chosen.products + 1)]
    write_rows(chosen.folder / "customers.csv", CUSTOMERS, customers)
    write_rows(chosen.folder / "products.csv", PRODUCTS, products)
    write_orders(chosen.folder, rng, lines=chosen.lines, customers=customers, products=products)
    for path in sorted(chosen.folder.glob("*.csv")):
        print(f"{path}: {path.stat().st_size:,} bytes")


def write_rows(path: Path, header: str, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{header}\n")
        csv.writer(file, lineterminator="\n").writerows(rows)


def pick(rng: Random, count: int) -> int:
    """One of 0 … count-1, by a way that no version of Python changes."""
    return int(rng.random() * count)


def build_customer(number: int, rng: Random) -> list[str]:
    city, region, postal_code, country, street = PLACES[pick(rng, len(PLACES))]
    word, trade = WORDS[number % len(WORDS)], TRADES[(3 * number + number // len(WORDS)) % len(TRADES)]
    phone = f"({10 + pick(rng, 90)}) 555-{1000 + pick(rng, 9000)}"
    fax = NULL if pick(rng, 3) == 0 else f"{phone[:-1]}9"
    return [
        letters(number),
        f"{word} {trade}",
        PEOPLE[pick(rng, len(PEOPLE))],
        TITLES[pick(rng, len(TITLES))],
        f"{street} {1 + pick(rng, 200)}",
        city,
        region,
        postal_code,
        country,
        phone,
        fax,
    ]


def letters(number: int) -> str:
    """A customer id: five letters, AAAAA the first."""
    text = ""
    for _ in range(5):
        number, rest = divmod(number, 26)
        text = chr(ord("A") + rest) + text
    return text


def build_product(number: int, rng: Random) -> list[str]:
    cents = 200 + 5 * pick(rng, 2000)
    form = FORMS[pick(rng, len(FORMS))]
    return [
        str(number),
        f"{GOODS[number % len(GOODS)]} No. {number}",
        str(1 + pick(rng, 12)),
        str(1 + pick(rng, 8)),
        f"{6 * (1 + pick(rng, 8))} - {100 * (1 + pick(rng, 9))} g {form}s",
        f"{cents // 100}.{cents % 100:02}",
        str(pick(rng, 120)),
        str(10 * pick(rng, 8)),
        str(5 * pick(rng, 6)),
        "1" if pick(rng, 10) == 0 else "0",
    ]


def write_orders(
    folder: Path, rng: Random, *, lines: int, customers: list[list[str]], products: list[list[str]]
) -> None:
    """Write both files of orders side by side, one order at a time, so that any number of lines fits in memory."""
    buyers = customers[: max(1, len(customers) - len(customers) // 10)]  # one customer in ten never bought anything
    orders = max(1, round(lines / 3))
    left = lines
    number = 10_000
    with (
        (folder / "orders.csv").open("w", encoding="utf-8", newline="") as order_file,
        (folder / "order_details.csv").open("w", encoding="utf-8", newline="") as detail_file,
    ):
        order_rows = csv.writer(order_file, lineterminator="\n")
        detail_rows = csv.writer(detail_file, lineterminator="\n")
        order_file.write(f"{ORDERS}\n")
        detail_file.write(f"{ORDER_DETAILS}\n")
        while left > 0:
            number += 1
            day = min((number - 10_001) * DAYS // orders, DAYS)
            order_rows.writerow(build_order(number, day, buyers[pick(rng, len(buyers))], rng))
            count = min(left, 1 + pick(rng, 5), len(products))
            detail_rows.writerows(build_lines(number, day, products, rng, count=count))
            left -= count


def build_order(number: int, day: int, customer: list[str], rng: Random) -> list[str]:
    shipped = NULL if day > UNSHIPPED_AFTER else timestamp(day + 1 + pick(rng, 12))
    freight = pick(rng, 20_000)
    _, company, _, _, address, city, region, postal_code, country, _, _ = customer
    return [
        str(number),
        customer[0],
        str(1 + pick(rng, 9)),
        timestamp(day),
        timestamp(day + 28),
        shipped,
        str(1 + pick(rng, 3)),
        f"{freight // 100}.{freight % 100:02}",
        company,
        address,
        city,
        region,
        postal_code,
        country,
    ]


def timestamp(day: int) -> str:
    return f"{FIRST_DAY + timedelta(days=day):%Y-%m-%d} 00:00:00.000"


def build_lines(order: int, day: int, products: list[list[str]], rng: Random, *, count: int) -> Iterator[list[str]]:
    """*count* lines of one order, each of another product."""
    first = pick(rng, len(products))
    for offset in range(count):
        product = products[(first + offset) % len(products)]
        cents = int(product[5].replace(".", ""))
        if day < OLD_PRICES_END:
            cents = cents * 4 // 5
        discount = DISCOUNTS[pick(rng, len(DISCOUNTS))]
        yield [str(order), product[0], f"{cents // 100}.{cents % 100:02}", str(1 + pick(rng, 60)), discount]


if __name__ == "__main__":
    main(sys.argv[1:])

//! Who buys in the demo marketplace. Names are put together by chance.

/// Where customers live, how many of a hundred do, and what people are called there.
pub(super) const PEOPLE: &[(&str, u32, &[&str], &[&str])] = &[
    (
        "Germany",
        20,
        &["Anna", "Jonas", "Lea", "Felix", "Mara", "Paul", "Clara", "Emil", "Frieda", "Oskar"],
        &["Albrecht", "Brandt", "Dietrich", "Engel", "Fuchs", "Hoffmann", "Krüger", "Lindner", "Seidel", "Vogel"],
    ),
    (
        "United States",
        26,
        &["Ava", "Liam", "Grace", "Mason", "Ruth", "Caleb", "Nora", "Miles", "June", "Theo"],
        &["Abbott", "Bishop", "Carver", "Delgado", "Ellison", "Foster", "Greer", "Holloway", "Ortiz", "Whitaker"],
    ),
    (
        "United Kingdom",
        13,
        &["Isla", "Harry", "Freya", "Callum", "Poppy", "Rhys", "Amara", "Finlay", "Edith", "Rowan"],
        &[
            "Ainsworth",
            "Baxter",
            "Cairns",
            "Davies",
            "Fairfax",
            "Hargreaves",
            "Llewellyn",
            "Okafor",
            "Pryce",
            "Thornton",
        ],
    ),
    (
        "Japan",
        11,
        &["Aoi", "Haruto", "Yui", "Ren", "Sakura", "Sota", "Hina", "Kaito", "Mio", "Riku"],
        &["Aoki", "Endo", "Fujita", "Hayashi", "Ishikawa", "Kimura", "Matsuda", "Nakano", "Ogawa", "Ueda"],
    ),
    (
        "India",
        11,
        &["Aarav", "Diya", "Ishaan", "Kavya", "Meera", "Nikhil", "Priya", "Rohan", "Tara", "Vikram"],
        &["Banerjee", "Chandra", "Desai", "Iyer", "Kapoor", "Menon", "Nair", "Patel", "Rao", "Sharma"],
    ),
    (
        "France",
        8,
        &["Camille", "Hugo", "Inès", "Jules", "Léa", "Louis", "Manon", "Noé", "Zoé", "Élise"],
        &["Aubert", "Bonnet", "Chevalier", "Dupuis", "Faure", "Garnier", "Lemaire", "Moreau", "Perrin", "Roche"],
    ),
    (
        "Kuwait",
        6,
        &["Abdullah", "Dalal", "Fahad", "Hessa", "Khaled", "Latifa", "Mishari", "Noura", "Sara", "Yousef"],
        &[
            "Al-Ajmi",
            "Al-Fadhli",
            "Al-Hamad",
            "Al-Kandari",
            "Al-Mutairi",
            "Al-Rashid",
            "Al-Sabti",
            "Al-Shammari",
            "Behbehani",
            "Dashti",
        ],
    ),
    (
        "Australia",
        5,
        &["Charlotte", "Jack", "Matilda", "Noah", "Olivia", "Oliver", "Ruby", "Thomas", "Willow", "William"],
        &["Barker", "Campbell", "Doyle", "Fraser", "Hartigan", "Keane", "Mackay", "Nguyen", "Sinclair", "Walsh"],
    ),
];

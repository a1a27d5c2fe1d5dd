// Opens the print dialog for the list on paper.
print();
